import { EtlError } from '../errors.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { openCsvBytes } from '../source/csv/csv-bytes.ts';
import { openCsvPart, type CsvPartStream } from '../source/csv/csv-part.ts';
import { openCsvRows } from '../source/csv/csv-rows.ts';
import type { CsvStream } from '../source/csv/csv-stream.ts';
import { keepRecords } from '../source/csv/keep-records.ts';
import type { CsvDescription } from '../source/source-file.ts';
import type { Connection } from '../target/connect.ts';
import { csvCopySql } from '../target/copy-sql.ts';
import { setFirstRow } from '../target/staging.ts';
import { refuseOutside, type CopyTarget } from './copy-target.ts';
import { fileProgress } from './file-progress.ts';
import type { Copied, StageOptions } from './stage-options.ts';

/** Copies the records of a CSV file, or of a part of it, but for those that are superseded. */
export async function copyCsv(
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
  const reading = { signal, subBatchSize, onProgress: fileProgress(file.ordinal, options) };
  if (part?.kind === 'bytes') return openCsvPart(file, description, part, reading);
  const open = description.path === 'bytes' ? openCsvBytes : openCsvRows;
  return open(file, description, reading);
}
