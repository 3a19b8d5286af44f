/** A row as a transform gets it: the text of each column of the file, as a CSV file would have it. */
export type TransformRow = Record<string, string | null>;

/** What a transform may give for a column; all but null goes to PostgreSQL as its text. */
export type TransformValue = string | number | bigint | boolean | Date | null;

/** A row as a transform gives it: at least the columns that it adds. */
export type TransformedRow = Readonly<Record<string, TransformValue | undefined>>;

/** A row that is not to be loaded, and why; made by `context.reject`. */
export interface RejectedByTransform {
  readonly [REJECTED]: string;
}

/** Shared by all copies of this package that one process may hold. */
export const REJECTED: unique symbol = Symbol.for('parallel-upsert.rejected');

export interface TransformContext {
  /** What to give in the place of a row that is bad: it is quarantined, or stops its file. */
  readonly reject: (reason: string) => RejectedByTransform;
  /** Aborted when the run is. */
  readonly signal: AbortSignal;
}

type Given = TransformedRow | RejectedByTransform;

/**
 * A module that makes rows of rows while they are loaded, in the worker threads. What it gives must
 * follow from the row and the options alone: batches are cut by size, a batch that fails is tried
 * again in halves, and a unit of work that is tried again calls it again.
 */
export interface Transform<State = unknown, Options = Readonly<Record<string, unknown>>> {
  /**
   * The columns that it gives, new ones and ones that the file has; the others stay as they are. As
   * an object: with their SQL types, for a table that is created (text otherwise).
   */
  readonly columns: readonly string[] | Readonly<Record<string, string>>;
  /** Change it to load files again that are loaded already: it is part of their fingerprint. */
  readonly version?: string;
  /** Called once in each thread, before its first batch: a model is read here. */
  setUp?(options: Options): State | Promise<State>;
  /**
   * @param rows up to `subBatchSize` of them, of one file, in its order; they are the transform's own
   * @returns as many, in the same order
   */
  transform(
    rows: readonly TransformRow[],
    state: State,
    context: TransformContext,
  ): readonly Given[] | Promise<readonly Given[]>;
}

/**
 * The default export of a transform's module, typed:
 * `export default defineTransform({ columns: ['score'], transform: (rows) => rows.map(score) })`.
 * It does nothing else, so a module may as well export the object itself.
 */
export function defineTransform<State = undefined, Options = Readonly<Record<string, unknown>>>(
  transform: Transform<State, Options>,
): Transform<State, Options> {
  return transform;
}
