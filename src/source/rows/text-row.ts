import type { CsvPart } from '../csv/find-parts.ts';
import type { JsonForm } from '../json/copy-rows.ts';

/** One row, by column of the file: the text that PostgreSQL would read; null is NULL. */
export type TextRow = readonly (string | null)[];

/** What comes next in a file: rows, or a record that makes none. */
export type TextPiece =
  | {
      readonly kind: 'rows';
      /** 1-based number in the file of the first; the others follow without a gap. */
      readonly first: number;
      readonly rows: readonly TextRow[];
    }
  | {
      readonly kind: 'bad';
      readonly record: number;
      readonly column: string | null;
      /** A sentence. */
      readonly reason: string;
    };

/** The rows of a file, one by one, in its order. */
export interface TextRows {
  /** To be iterated once; leaving early closes the file. */
  readonly pieces: AsyncIterable<TextPiece>;
  /** Bytes read from disk so far. */
  bytesRead(): number;
  /** After the end of `pieces`: SHA-256 (hex) of the file; null of a part that is not its first. */
  contentHash(): Promise<string | null>;
}

/** What of a file is read. */
export type TextRowsPart =
  | ({ readonly kind: 'bytes' } & CsvPart)
  /** Row groups `[from, to)`. */
  | { readonly kind: 'row-groups'; readonly from: number; readonly to: number };

export interface TextRowsOptions {
  /** How each column of the file is spelled where there is a choice, by its place. */
  readonly forms: readonly JsonForm[];
  /** Rows of one piece, at most. */
  readonly rowsMax: number;
  readonly part?: TextRowsPart | undefined;
  readonly signal: AbortSignal;
}
