/** A file that a job's patterns found. Plain JSON: it is part of the plan and crosses threads. */
export interface SourceFile {
  /** Absolute path. */
  readonly path: string;
  /** As shown to people: relative to the working directory where it lies below it. */
  readonly name: string;
  readonly format: 'csv' | 'tsv' | 'parquet' | 'json' | 'jsonl' | 'document';
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Size on disk, in bytes. */
  readonly bytes: number;
  readonly mtimeMs: number;
  /** Time of the last change, also of its attributes; nobody can set it. Absent: not looked at. */
  readonly ctimeMs?: number;
  /** Where the job asks for another than the usual one of `LIMITS`. */
  readonly expansionRatioMax?: number;
  /** Whose fault bytes are that are not of the encoding; the file's where absent. */
  readonly badBytes?: 'of a row' | 'of the file';
  /** What the ledger calls it, where that is not its path: rows in memory lie in a temporary file. */
  readonly recordedAs?: string;
}

/** The dialect of one CSV file, resolved: nothing left to detect. Plain JSON. */
export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string | null;
  /** Equal to `quote` where a quote is escaped by doubling it. */
  readonly escape: string | null;
  readonly null: string;
  readonly encoding: string;
  readonly header: boolean;
  readonly skipLines: number;
  readonly comment: string | null;
  readonly trim: boolean;
}

export interface CsvDescription {
  readonly kind: 'csv';
  /** Names in the header's order, unique and not empty; `column1…` where there is no header. */
  readonly columns: readonly string[];
  readonly dialect: CsvDialect;
  /** `bytes`: the file's own bytes are valid input for COPY. `rows`: csv-parse must rewrite them. */
  readonly path: 'bytes' | 'rows';
}

/** What a Parquet column holds, after the format's logical types. Plain JSON. */
export type ParquetType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 16 | 32 | 64 }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'date' }
  | { readonly kind: 'time'; readonly unit: TimeUnit; readonly utc: boolean }
  | {
      readonly kind: 'timestamp';
      readonly unit: TimeUnit;
      readonly utc: boolean;
      readonly int96: boolean;
    }
  | { readonly kind: 'interval' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'string' }
  | { readonly kind: 'enum' }
  | { readonly kind: 'json' }
  | { readonly kind: 'bson' }
  | { readonly kind: 'binary' }
  /** A column of the annotation UNKNOWN: always NULL. */
  | { readonly kind: 'null' }
  | { readonly kind: 'list'; readonly element: ParquetType }
  | { readonly kind: 'map'; readonly key: ParquetType; readonly value: ParquetType }
  | { readonly kind: 'struct'; readonly fields: readonly ParquetColumn[] };
export type TimeUnit = 'ms' | 'us' | 'ns';

export interface ParquetColumn {
  readonly name: string;
  readonly type: ParquetType;
  readonly nullable: boolean;
}

export interface ParquetDescription {
  readonly kind: 'parquet';
  /** Top-level columns in the file's order. */
  readonly columns: readonly ParquetColumn[];
  readonly rows: number;
  readonly rowGroups: readonly { readonly rows: number; readonly uncompressedBytes: number }[];
  readonly createdBy: string | null;
}

export interface JsonColumn {
  readonly name: string;
  /** To the value inside a record, as RFC 6901 has it; `''` is the record itself. */
  readonly pointer: string;
}

export interface JsonDescription {
  readonly kind: 'json';
  readonly columns: readonly JsonColumn[];
  /**
   * The file is values one after another. A pointer (of names) to the array of records in each of
   * them, `''` where it is the value itself; null: each value is a record.
   */
  readonly records: string | null;
  /** Columns are the fields that were found in a sample, so that another field is an error. */
  readonly found: boolean;
  /** Each record stands in a line of its own, as far as the head of the file shows. */
  readonly lines: boolean;
}

/** Where a value of a document comes from. */
export type DocumentSource =
  /** A placeholder of the pattern, by its place. */
  | { readonly kind: 'placeholder'; readonly place: number }
  | { readonly kind: 'content' | 'size' | 'modified' | 'path' | 'name' | 'loaded' }
  | { readonly kind: 'constant'; readonly value: string | number | boolean | null };

export interface DocumentColumn {
  readonly name: string;
  readonly source: DocumentSource;
}

/** A file that is one row. One object for all files of a load: nothing of it is of a single file. */
export interface DocumentDescription {
  readonly kind: 'document';
  readonly columns: readonly DocumentColumn[];
  /** Which the end of the path must match; see job/path-pattern.ts. */
  readonly pattern: string;
  /** Of contents that go to a column of text; as PostgreSQL names it. */
  readonly encoding: string;
}

/** What a file itself holds. */
export type InputDescription = CsvDescription | ParquetDescription | JsonDescription;

/** A file whose rows a module of the user's makes before they are sent. */
export interface TransformedDescription {
  readonly kind: 'transformed';
  /** The file's own columns, in its order, and behind them those that the transform adds. */
  readonly columns: readonly TransformedColumn[];
  readonly input: InputDescription | DocumentDescription;
  readonly transform: TransformSource;
}

export interface TransformedColumn {
  readonly name: string;
  /** Its place among the file's own columns; null: the transform alone brings it. */
  readonly place: number | null;
  /** Whether the transform gives its values; the file's own are kept otherwise. */
  readonly given: boolean;
}

/** A transform, and what its module says of it. Plain JSON. */
export interface TransformSource {
  /** Absolute path of the module. */
  readonly module: string;
  /** As the job has them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The columns that it gives: SQL types of those of a table that is created, null for text. */
  readonly columns: Readonly<Record<string, string | null>>;
  /** What changes when the same rows become others; part of the fingerprint. */
  readonly version: string | null;
}

export type FileDescription = InputDescription | TransformedDescription | DocumentDescription;

/**
 * Some rows of a file as text, the spelling that PostgreSQL would read (null is NULL). Values of a
 * Parquet file are spelled as its CSV twin would spell them, those of JSON as a text column has them.
 */
export interface FileSample {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** Of JSON, for each value of `rows`: whether it is a string, and so no number or boolean. */
  readonly strings?: readonly (readonly boolean[])[];
  /** Rows of the whole file: exact (Parquet, or a file read whole) or by bytes per row. */
  readonly fileRows: number;
  readonly fileRowsExact: boolean;
  /** Whether `rows` are all rows of the file. */
  readonly complete: boolean;
}
