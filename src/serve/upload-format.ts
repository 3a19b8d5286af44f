import { formatOfName } from '../source/file-format.ts';
import type { SourceFile } from '../source/source-file.ts';
import { Refusal } from './refusal.ts';

/** What a request, or a part of one, says of the bytes that it brings. */
export interface BodyClaims {
  /** Content-Type, as sent. */
  readonly type: string | undefined;
  /** Content-Encoding, as sent. */
  readonly encoding: string | undefined;
  /** The file's own name, for its ending. */
  readonly name: string | null;
}

type Format = Exclude<SourceFile['format'], 'document'>;
type Compression = SourceFile['compression'];

const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['text/csv', 'csv'],
  ['application/csv', 'csv'],
  ['text/tab-separated-values', 'tsv'],
  ['application/vnd.apache.parquet', 'parquet'],
  ['application/parquet', 'parquet'],
  ['application/x-parquet', 'parquet'],
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['application/x-ndjson', 'jsonl'],
  ['application/ndjson', 'jsonl'],
  ['application/jsonl', 'jsonl'],
  ['application/x-jsonlines', 'jsonl'],
]);

/** What clients send who say nothing, curl's --data-binary among them. */
const UNSAID: ReadonlySet<string> = new Set([
  '',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  'application/gzip',
  'application/x-gzip',
  'application/zstd',
  'text/plain',
]);

const ENCODINGS: ReadonlyMap<string, Compression> = new Map([
  ['', 'none'],
  ['identity', 'none'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['zstd', 'zstd'],
]);

const ENDINGS = { none: '', gzip: '.gz', zstd: '.zst' } as const;

const KNOWN = `Known are ${[...new Set([...FORMATS.keys()])].join(', ')}.`;

/**
 * The ending of the spool file: it is what the engine reads the format from. What the name says wins
 * over a type that says nothing; where both tell a format, they must agree.
 *
 * @throws Refusal 415
 */
export function fileEnding({ type, encoding, name }: BodyClaims): string {
  const ofType = formatOfType(type);
  const ofName = name === null ? null : formatOfName(name);
  const named = ofName === null || 'sentence' in ofName ? null : ofName;
  const format = [...FORMATS.values()].find((known) => known === named?.format) ?? ofType;
  if (format === null) {
    throw new Refusal(
      415,
      `Neither Content-Type ${JSON.stringify(type ?? '')} nor a name tells the format of the file.`,
      `${KNOWN} Or name the file: ?name=orders.csv.gz.`,
    );
  }
  if (ofType !== null && family(ofType) !== family(format)) {
    throw new Refusal(
      415,
      `The name says that the file is ${format}, and Content-Type that it is ${ofType}.`,
      'Correct one of them.',
    );
  }
  return ending(format, encoding, named?.compression ?? 'none');
}

/**
 * The same for rows, which are JSON or JSON Lines.
 *
 * @throws Refusal 415
 */
export function rowsEnding({ type, encoding }: Omit<BodyClaims, 'name'>): string {
  const format = formatOfType(type) ?? 'json';
  if (format !== 'json' && format !== 'jsonl') {
    throw new Refusal(
      415,
      `Rows are JSON or JSON Lines, and not ${format}.`,
      'Send files to /jobs/<name>/files, or rows as application/json or application/x-ndjson.',
    );
  }
  return ending(format, encoding, 'none');
}

function formatOfType(type = ''): Format | null {
  const media = type.split(';')[0]?.trim().toLowerCase() ?? '';
  const format = FORMATS.get(media);
  if (format !== undefined) return format;
  if (UNSAID.has(media)) return null;
  throw new Refusal(415, `Content-Type ${JSON.stringify(media)} cannot be loaded.`, KNOWN);
}

/** A .json file may hold lines of JSON, and a .txt file tabs. */
function family(format: Format): string {
  return { csv: 'text', tsv: 'text', json: 'json', jsonl: 'json', parquet: 'parquet' }[format];
}

function ending(format: Format, encoding = '', ofName: Compression): string {
  const ofHeader = ENCODINGS.get(encoding.trim().toLowerCase());
  if (ofHeader === undefined) {
    throw new Refusal(
      415,
      `Content-Encoding ${JSON.stringify(encoding)} cannot be decoded.`,
      'Send the body as it is, or with gzip or zstd.',
    );
  }
  const compression = ofHeader === 'none' ? ofName : ofHeader;
  if (format === 'parquet' && compression !== 'none') {
    throw new Refusal(
      415,
      'A Parquet file that is compressed as a whole cannot be read.',
      'Send it as it is: Parquet compresses its own pages.',
    );
  }
  return `.${format}${ENDINGS[compression]}`;
}
