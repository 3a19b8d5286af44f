import { present } from '../../assert.ts';
import { copyContextOf } from '../copy-error.ts';
import { copyTargetOf } from '../copy-target.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import { PLAIN_DIALECT } from '../../source/csv/plain-dialect.ts';
import { copyLine } from '../../source/rows/copy-text.ts';
import type { CsvDescription } from '../../source/source-file.ts';
import type { Connection } from '../../target/connect.ts';
import { textCopySql } from '../../target/copy-sql.ts';
import { createStaging, setStagedFile, type StagingTable } from '../../target/staging.ts';
import { jointLayout } from '../../target/joint-staging.ts';
import { stagingLayout } from '../../target/staging-layout.ts';
import { columnsOfTables, jointTables } from '../load-tables.ts';
import type { LoadTask } from '../unit-task.ts';
import { rejectCorrectedCasts } from './corrected-casts.ts';
import type { CorrectedRow } from './corrected-rows.ts';
import { lookUpCorrected } from './look-up-corrected.ts';
import type { Quarantine } from './quarantine.ts';
import type { RejectedRow, RejectSpool } from './reject-spool.ts';
import { siftBatch, type SiftedBatch } from './sift-records.ts';
import { transformCorrected } from './transform-corrected.ts';

/** Corrected rows of one input. Inputs that are staged together bring the same columns. */
export interface CorrectedFile {
  /** Place of the input in the order in which the table got its files. */
  readonly place: number;
  readonly file: FilePlan;
  /** In their order. */
  readonly rows: readonly CorrectedRow[];
}

/** Rows that are still bad: by place of the file, by record. */
export type StillBad = Map<number, Map<number, RejectedRow>>;

export interface StagedCorrections {
  readonly table: StagingTable;
  /** The inputs as CSV files of what was corrected, under their places; for StagedFile. */
  readonly files: readonly FilePlan[];
}

/**
 * Stages corrected rows under the places and record numbers of what they correct, whatever the format
 * of their inputs: a reject file is text. The ones that PostgreSQL refuses go to `bad`.
 */
export async function stageCorrected(
  connection: Connection,
  load: LoadTask,
  quarantine: Quarantine,
  corrected: readonly CorrectedFile[],
  bad: StillBad,
  signal: AbortSignal,
): Promise<StagedCorrections> {
  const { columns } = load.target;
  const files = corrected.map(asText);
  const into = { sqlName: 'pg_temp.etl_corrected', kind: 'temp', fileColumn: true } as const;
  const layout =
    load.further === undefined
      ? stagingLayout(columns, files, into)
      : jointLayout(jointTables(load), files, into);
  await createStaging(connection, layout.table, files[0]?.ordinal ?? 0);
  for (const [index, { place, file, rows: asTheyStand }] of corrected.entries()) {
    const rows = await transformCorrected(file, asTheyStand, {
      ...{ subBatchSize: load.subBatchSize, signal },
      onBad: (row) => noteBad(bad, place, row),
    });
    const text = files[index] ?? file;
    await setStagedFile(connection, layout.table, place);
    const { forceNull, columnName, layout: ofFile } = copyTargetOf(columns, layout, text);
    const nulls = ofFile.copyColumns.map((name) => forceNull.includes(name));
    const lines = rows.map((row) => lineOf(row, file, nulls));
    const sql = textCopySql(into.sqlName, ['etl_row', ...ofFile.copyColumns], null);
    const sift = {
      ...{ connection, file: text, quarantine, columnName },
      spool: collector(rows, place, bad),
      batchMax: load.subBatchSize,
      size: load.subBatchSize,
      staged: 0,
      rejected: 0,
    };
    await siftBatch(sift, batchOf(connection, sql, lines));
  }
  const onBad = (row: RejectedRow): void => noteBad(bad, row.file, row);
  for (const text of files) {
    const target = copyTargetOf(columns, layout, text);
    await rejectCorrectedCasts(connection, layout.table, target, text.ordinal, onBad);
  }
  const tables = columnsOfTables(load);
  const table = await lookUpCorrected(connection, tables, layout.table, files, onBad);
  return { table, files };
}

/** Whether the column goes somewhere: what is left out of the load is left out here, too. */
function isTaken({ targets, further = [] }: FilePlan, index: number): boolean {
  return [targets, ...further].some((mapping) => (mapping[index] ?? null) !== null);
}

function asText({ place, file }: CorrectedFile): FilePlan {
  const taken = [...file.description.columns.keys()].filter((index) => isTaken(file, index));
  const names = taken.map((index) => {
    const column = present(file.description.columns[index], 'a column of the file');
    return typeof column === 'string' ? column : column.name;
  });
  const description: CsvDescription = {
    kind: 'csv',
    columns: names,
    dialect: PLAIN_DIALECT,
    path: 'bytes',
  };
  const only = (mapping: readonly (string | null)[]): (string | null)[] =>
    taken.map((index) => mapping[index] ?? null);
  const further = file.further === undefined ? {} : { further: file.further.map(only) };
  return { ...file, ordinal: place, description, targets: only(file.targets), ...further };
}

/** A line of COPY's text format. */
function lineOf(
  { record, fields }: CorrectedRow,
  file: FilePlan,
  nulls: readonly boolean[],
): string {
  const brought = fields.filter((_, index) => isTaken(file, index));
  const cells = brought.map((field, index) =>
    field === '' && nulls[index] === true ? null : field,
  );
  return copyLine([String(record), ...cells]);
}

function batchOf(connection: Connection, sql: string, lines: readonly string[]): SiftedBatch {
  return {
    first: 1,
    count: lines.length,
    copy: (from, to) => connection.copyIn(sql, [Buffer.from(lines.slice(from, to).join(''))]),
    indexOf: (error, from, to) => {
      const context = copyContextOf(error);
      const index = context === null ? -1 : from + context.record - 1;
      return index >= from && index < to ? index : null;
    },
  };
}

/** What sifting calls a record is the place of the row among `rows`. */
function collector(rows: readonly CorrectedRow[], place: number, bad: StillBad): RejectSpool {
  return {
    add: async (row) => {
      const record = rows[row.record - 1]?.record ?? row.record;
      noteBad(bad, place, { ...row, record });
    },
    rejectedOf: () => bad.get(place)?.size ?? 0,
    close: async () => [],
  };
}

export function noteBad(bad: StillBad, place: number, row: RejectedRow): void {
  const known = bad.get(place) ?? new Map<number, RejectedRow>();
  known.set(row.record, row);
  bad.set(place, known);
}
