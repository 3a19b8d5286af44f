import type { StagedFile, SupersededRows, UnitHooks, UnitPart } from './unit-task.ts';

/** How a file is staged. */
export interface StageOptions extends UnitHooks {
  readonly subBatchSize: number;
  /** Null: every row is sent. */
  readonly superseded: SupersededRows | null;
  /** What of the file is to be sent; all where absent. */
  readonly part?: UnitPart | undefined;
  /** Whether rows that are refused are to be sifted out. */
  readonly quarantined?: boolean;
}

/**
 * What a COPY has brought of a file: fewer rows than were read where `where` of the target leaves some out.
 */
export type Copied = Pick<StagedFile, 'rows' | 'staged' | 'contentHash'>;
