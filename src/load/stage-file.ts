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
import type { CsvDescription, ParquetDescription } from '../source/source-file.ts';
import { createBinaryCopyEncoder } from '../target/binary/binary-copy-encoder.ts';
import type { Connection } from '../target/connect.ts';
import { csvCopySql, binaryCopySql } from '../target/copy-sql.ts';
import { setFirstRow } from '../target/staging.ts';
import type { FileLayout } from '../target/staging-layout.ts';
import { copyError } from './copy-error.ts';
import { refuseChanged } from './refuse-changed.ts';
import type { StagedFile, SupersededRows, UnitHooks, UnitPart } from './unit-task.ts';

/** Where the rows go: a staging table, or the target itself (`append`). */
export interface CopyTarget {
  readonly sqlName: string;
  readonly layout: FileLayout;
  /** Types of the staged columns, for CSV: quoted empty fields of types other than text are NULL. */
  readonly forceNull: readonly string[];
  /** Staging has a column for the row's ordinal; the target has none. */
  readonly ordinal: boolean;
  /** Name of a copied column, as the file calls it. */
  readonly columnName: (copied: string) => string | null;
}

export interface StageOptions extends UnitHooks {
  readonly subBatchSize: number;
  /** Null: every row is sent. */
  readonly superseded: SupersededRows | null;
  /** What of the file is to be sent; all where absent. */
  readonly part?: UnitPart | undefined;
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
  if (superseded?.kept === 0) {
    const rows = superseded.keep.length;
    options.news({ kind: 'file-staged', file: file.ordinal, rows });
    const { contentHash } = superseded;
    return { file, rows, staged: 0, contentHash, stagedAs: file.ordinal };
  }
  const staged = await (
    file.description.kind === 'csv'
      ? copyCsv(connection, file, file.description, target, options)
      : copyParquet(connection, file, file.description, target, options)
  ).catch(async (error: unknown) => {
    throw await copyError(error, file, target.columnName, options.part);
  });
  await refuseChanged(file);
  options.news({ kind: 'file-staged', file: file.ordinal, rows: staged.rows });
  return { file, ...staged, stagedAs: file.ordinal };
}

type Copied = Omit<StagedFile, 'file' | 'stagedAs'>;

async function copyCsv(
  connection: Connection,
  file: FilePlan,
  description: CsvDescription,
  target: CopyTarget,
  options: StageOptions,
): Promise<Copied> {
  const stream = openCsv(file, description, options);
  // Rows of a later part supersede those of an earlier one, so they are numbered as in the file.
  if (options.part?.kind === 'bytes' && target.ordinal) {
    await setFirstRow(connection, target.sqlName, options.part.firstRecord);
  }
  const sql = csvCopySql(target.sqlName, target.layout.copyColumns, description, target.forceNull);
  const { superseded } = options;
  const chunks =
    superseded === null
      ? stream.chunks
      : keepRecords(stream.chunks, description.dialect, superseded.keep);
  const copied = await connection.copyIn(sql, chunks);
  const totals = stream.totals();
  const expected = superseded === null ? totals.records : superseded.kept;
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
  const sql = binaryCopySql(target.sqlName, [
    ...(target.ordinal ? ['etl_row'] : []),
    ...target.layout.copyColumns,
  ]);
  const copied = await connection.copyIn(sql, chunks);
  assert(copied === counter.rows, `COPY took ${copied} of ${counter.rows} rows of ${file.name}`);
  const rows = rowsBefore(description, rowGroups.to) - rowsBefore(description, rowGroups.from);
  assert(copied === rows, `${file.name} has the rows that its footer says`);
  return { rows: copied, staged: copied, contentHash: await hash };
}

interface RowGroups {
  readonly from: number;
  readonly to: number;
}

function rowGroupsOf({ rowGroups }: ParquetDescription, part: UnitPart | undefined): RowGroups {
  return part?.kind === 'row-groups' ? part : { from: 0, to: rowGroups.length };
}

async function* encodeParquet(
  file: FilePlan,
  description: ParquetDescription,
  target: CopyTarget,
  options: UnitHooks & { readonly rowGroups: RowGroups },
  counter: { rows: number },
): AsyncIterable<Buffer> {
  const columns = present(target.layout.parquet, 'the layout of a Parquet file');
  const types = new Map(description.columns.map((column) => [column.name, column.type]));
  const encoder = createBinaryCopyEncoder(
    columns.map(({ name, stage }) => ({ name, stage, type: present(types.get(name), name) })),
    { ordinal: target.ordinal, file: file.name },
  );
  const progress = throttled(file.ordinal, options);
  yield encoder.header();
  const names = columns.map((column) => column.name);
  for await (const batch of readParquet(file, description, {
    columns: names,
    rowGroups: options.rowGroups,
    signal: options.signal,
  })) {
    yield encoder.encode(batch, batch.firstRow);
    counter.rows += batch.rows;
    progress(counter.rows, Math.round((file.bytes * counter.rows) / Math.max(1, description.rows)));
  }
  yield encoder.trailer();
}

function throttled(file: number, hooks: UnitHooks): (rows: number, bytes: number) => void {
  let last = hooks.now();
  return (rows, bytes) => {
    const now = hooks.now();
    if (now - last < LIMITS.progressIntervalMs) return;
    last = now;
    hooks.news({ kind: 'file-progress', file, rows, bytes });
  };
}
