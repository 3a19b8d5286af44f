import type { DocumentFault } from '../source/documents/document-rows.ts';
import type { UnitHooks } from './unit-task.ts';

export interface DocumentHooks extends UnitHooks {
  /** The time that a column of `loaded` has: milliseconds since 1970. */
  readonly loadedMs: number;
  /** Documents that go through a transform at once. */
  readonly subBatchSize: number;
  /** Whether documents behind a bad one are wanted as well; else nobody asks for them. */
  readonly goOn?: boolean;
}

/** Documents as a COPY takes them, however they are made. */
export interface OpenDocuments {
  /** The COPY, whose bytes begin with `header` and end with `trailer`. */
  readonly sql: string;
  readonly header: Buffer;
  readonly trailer: Buffer;
  /** To be iterated once; a batch is good until the next is asked for. */
  readonly batches: () => AsyncGenerator<DocumentBatch>;
  /** Once the server has taken all of them. */
  readonly release?: () => void;
}

/** Neighbours among the documents of a unit: a row of each, but for those that are bad. */
export interface DocumentBatch {
  /** The number that its first row has in staging. */
  readonly firstRow: number;
  /** For each row, the place of its document among the files; for each, the hash of its bytes. */
  readonly places: readonly number[];
  readonly hashes: readonly string[];
  /** In the order of the documents. */
  readonly faults: readonly DocumentFault[];
  /**
   * COPY's bytes of rows `[from, to)`.
   *
   * @throws EtlError whose `facts.line` is the number in staging of the row that cannot be said
   */
  readonly encode: (from: number, to: number) => Buffer;
}
