import { EtlError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { assert, present } from '../assert.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { openCsvBytes } from '../source/csv/csv-bytes.ts';
import { openCsvPart, type CsvPartStream } from '../source/csv/csv-part.ts';
import { keepRecords } from '../source/csv/keep-records.ts';
import { openCsvRows } from '../source/csv/csv-rows.ts';
import type { CsvStream } from '../source/csv/csv-stream.ts';
import { hashFile } from '../source/content-hash.ts';
import { readParquet, rowsBefore } from '../source/parquet/read-parquet.ts';
import type {
  CsvDescription,
  JsonDescription,
  ParquetDescription,
  TransformedDescription,
} from '../source/source-file.ts';
import {
  createBinaryCopyEncoder,
  type BinaryCopyEncoder,
} from '../target/binary/binary-copy-encoder.ts';
import type { Connection } from '../target/connect.ts';
import { csvCopySql, binaryCopySql } from '../target/copy-sql.ts';
import { setFirstRow } from '../target/staging.ts';
import type { FileLayout } from '../target/staging-layout.ts';
import { copyError } from './copy-error.ts';
import { copyJson } from './copy-json.ts';
import { copyTransformed } from './transform/copy-transformed.ts';
import { refuseChanged } from './refuse-changed.ts';
import { leftOutFile, unchangedOf } from './unchanged/left-out.ts';
import type { StagedFile, SupersededRows, UnitHooks, UnitPart } from './unit-task.ts';

/** Where the rows go: a staging table, or the target itself. */
export interface CopyTarget {
  readonly sqlName: string;
  readonly layout: FileLayout;
  /** Types of the staged columns, for CSV: quoted empty fields of types other than text are NULL. */
  readonly forceNull: readonly string[];
  /** Staging has a column for the row's ordinal; the target has none. */
  readonly ordinal: boolean;
  /** What a row must satisfy: one that does not is not copied, and then the counts differ. */
  readonly where: string | null;
  /** Name of a copied column, as the file calls it. */
  readonly columnName: (copied: string) => string | null;
}

export interface StageOptions extends UnitHooks {
  readonly subBatchSize: number;
  /** Null: every row is sent. */
  readonly superseded: SupersededRows | null;
  /** What of the file is to be sent; all where absent. */
  readonly part?: UnitPart | undefined;
  /** Whether rows that are refused are to be sifted out. */
  readonly quarantined?: boolean;
}

/** Streams one file, or a part of it, into the table by one COPY. What it copied is what the server counted. */
export async function stageFile(
  connection: Connection,
  file: FilePlan,
  target: CopyTarget,
  options: StageOptions,
): Promise<StagedFile> {
  options.news({ kind: 'file-started', file: file.ordinal });
  await refuseChanged(file);
  const { superseded } = options;
  if (superseded?.kept === 0) return leftOutFile(file, superseded, options.part, options);
  const staged = await copyRecords(connection, file, target, options).catch(
    async (error: unknown) => {
      // To find the line reads the file once more; where the row is sifted out it is found anyway.
      throw options.quarantined === true
        ? error
        : await copyError(error, file, target.columnName, options.part);
    },
  );
  await refuseChanged(file);
  options.news({ kind: 'file-staged', file: file.ordinal, rows: staged.rows });
  return { file, ...staged, ...unchangedOf(superseded), ...ownRows(file, options) };
}

function copyRecords(
  connection: Connection,
  file: FilePlan,
  target: CopyTarget,
  options: StageOptions,
): Promise<Copied> {
  const { description } = file;
  switch (description.kind) {
    case 'csv':
      return copyCsv(connection, file, description, target, options);
    case 'parquet':
      return copyParquet(connection, file, description, target, options);
    case 'json':
      return copyJsonRecords(connection, file, description, target, options);
    case 'transformed':
      return copyTransformedRows(connection, file, description, target, options);
    case 'document':
      assert(false, 'documents are copied together');
  }
}

function ownRows(
  { ordinal }: FilePlan,
  { part }: StageOptions,
): Pick<StagedFile, 'stagedAs' | 'numbered' | 'sifted' | 'rejected' | 'spools'> {
  const sifted = part !== undefined;
  return { stagedAs: ordinal, numbered: true, sifted, rejected: 0, spools: [] };
}

type Copied = Pick<StagedFile, 'rows' | 'staged' | 'contentHash'>;

async function copyCsv(
  connection: Connection,
  file: FilePlan,
  description: CsvDescription,
  target: CopyTarget,
  options: StageOptions,
): Promise<Copied> {
  const stream = openCsv(file, description, options);
  // Rows of a later part supersede those of an earlier one, so they are numbered as in the file;
  // and where a bad row is to be found again, all are.
  const part = options.part?.kind === 'bytes' ? options.part : null;
  if (target.ordinal && (part !== null || options.quarantined === true)) {
    await setFirstRow(connection, target.sqlName, part?.firstRecord ?? 1);
  }
  const { sqlName, layout, forceNull, where } = target;
  const sql = csvCopySql(sqlName, layout.copyColumns, description, forceNull, where);
  const { superseded } = options;
  const chunks =
    superseded === null
      ? stream.chunks
      : keepRecords(stream.chunks, description.dialect, superseded.keep);
  const copied = await connection.copyIn(sql, chunks);
  const totals = stream.totals();
  const expected = superseded === null ? totals.records : superseded.kept;
  refuseOutside(file, target, expected - copied);
  if (copied !== expected) {
    throw new EtlError(
      'ETL_CSV_MALFORMED',
      `The file has ${expected} records, but PostgreSQL took ${copied}.`,
      'Check its quotes and its line ends; nothing of it is loaded.',
      { file: file.name },
    );
  }
  if (superseded !== null && superseded.contentHash !== totals.contentHash) {
    throw new EtlError(
      'ETL_FILE_CHANGED',
      'The file changed between the two times that it was read.',
      'Run again once it is complete.',
      { file: file.name },
    );
  }
  return { rows: totals.records, staged: copied, contentHash: totals.contentHash };
}

function openCsv(
  file: FilePlan,
  description: CsvDescription,
  options: StageOptions,
): CsvStream | CsvPartStream {
  const { part, signal, subBatchSize } = options;
  const reading = { signal, subBatchSize, onProgress: throttled(file.ordinal, options) };
  if (part?.kind === 'bytes') return openCsvPart(file, description, part, reading);
  const open = description.path === 'bytes' ? openCsvBytes : openCsvRows;
  return open(file, description, reading);
}

async function copyJsonRecords(
  connection: Connection,
  file: FilePlan,
  description: JsonDescription,
  target: CopyTarget,
  options: StageOptions,
): Promise<Copied> {
  const { signal } = options;
  const reading = { signal, onProgress: throttled(file.ordinal, options) };
  if (target.ordinal && options.quarantined === true) {
    await setFirstRow(connection, target.sqlName, 1);
  }
  const copied = await copyJson(connection, file, description, target, reading);
  refuseOutside(file, target, copied.rows - copied.staged);
  return copied;
}

async function copyTransformedRows(
  connection: Connection,
  file: FilePlan,
  description: TransformedDescription,
  target: CopyTarget,
  options: StageOptions,
): Promise<Copied> {
  const { signal, part, subBatchSize } = options;
  const reading = { signal, part, subBatchSize, onProgress: throttled(file.ordinal, options) };
  const copied = await copyTransformed(connection, file, description, target, reading);
  refuseOutside(file, target, copied.rows - copied.staged);
  return copied;
}

async function copyParquet(
  connection: Connection,
  file: FilePlan,
  description: ParquetDescription,
  target: CopyTarget,
  options: StageOptions,
): Promise<Copied> {
  const rowGroups = rowGroupsOf(description, options.part);
  // Of the parts of a file the first reads all of it for the hash.
  const hash = rowGroups.from === 0 ? hashFile(file.path, options.signal) : Promise.resolve(null);
  // A failed COPY must not leave the rejection of the hash unheard.
  hash.catch(() => undefined);
  const counter = { rows: 0 };
  const chunks = encodeParquet(file, description, target, { ...options, rowGroups }, counter);
  const copyColumns = [...(target.ordinal ? ['etl_row'] : []), ...target.layout.copyColumns];
  const sql = binaryCopySql(target.sqlName, copyColumns, target.where);
  const copied = await connection.copyIn(sql, chunks);
  refuseOutside(file, target, counter.rows - copied);
  assert(copied === counter.rows, `COPY took ${copied} of ${counter.rows} rows of ${file.name}`);
  const rows = rowsBefore(description, rowGroups.to) - rowsBefore(description, rowGroups.from);
  assert(copied === rows, `${file.name} has the rows that its footer says`);
  return { rows: copied, staged: copied, contentHash: await hash };
}

/** @throws EtlError where the rows that were sent are not all where they were expected */
export function refuseOutside(file: FilePlan, { where }: CopyTarget, rows: number): void {
  if (where === null || rows <= 0) return;
  throw new EtlError(
    'ETL_ROW_INVALID',
    `The keys of ${rows} rows are not where the sample has seen the keys of the file.`,
    'Nothing need be done: the file is staged.',
    { file: file.name },
  );
}

export interface RowGroups {
  readonly from: number;
  readonly to: number;
}

export function rowGroupsOf(
  { rowGroups }: ParquetDescription,
  part: UnitPart | undefined,
): RowGroups {
  return part?.kind === 'row-groups' ? part : { from: 0, to: rowGroups.length };
}

async function* encodeParquet(
  file: FilePlan,
  description: ParquetDescription,
  target: CopyTarget,
  options: UnitHooks & { readonly rowGroups: RowGroups },
  counter: { rows: number },
): AsyncIterable<Buffer> {
  const { encoder, names } = parquetEncoder(file, description, target, true);
  const progress = throttled(file.ordinal, options);
  yield encoder.header();
  for await (const batch of readParquet(file, description, {
    columns: names,
    rowGroups: options.rowGroups,
    reuse: true,
    signal: options.signal,
  })) {
    yield encoder.encode(batch, batch.firstRow);
    counter.rows += batch.rows;
    progress(counter.rows, Math.round((file.bytes * counter.rows) / Math.max(1, description.rows)));
  }
  yield encoder.trailer();
}

/** With `reuse` what it encodes is good until the batch after the next. */
export function parquetEncoder(
  file: FilePlan,
  description: ParquetDescription,
  target: CopyTarget,
  reuse = false,
): { readonly encoder: BinaryCopyEncoder; readonly names: readonly string[] } {
  const columns = present(target.layout.parquet, 'the layout of a Parquet file');
  const types = new Map(description.columns.map((column) => [column.name, column.type]));
  const encoder = createBinaryCopyEncoder(
    columns.map(({ name, stage }) => ({ name, stage, type: present(types.get(name), name) })),
    { ordinal: target.ordinal, file: file.name, reuse },
  );
  return { encoder, names: columns.map((column) => column.name) };
}

export function parquetCopySql({ sqlName, ordinal, layout, where }: CopyTarget): string {
  return binaryCopySql(sqlName, [...(ordinal ? ['etl_row'] : []), ...layout.copyColumns], where);
}

export function throttled(file: number, hooks: UnitHooks): (rows: number, bytes: number) => void {
  let last = hooks.now();
  return (rows, bytes) => {
    const now = hooks.now();
    if (now - last < LIMITS.progressIntervalMs) return;
    last = now;
    hooks.news({ kind: 'file-progress', file, rows, bytes });
  };
}
