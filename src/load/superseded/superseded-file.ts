import { open, rename, rm } from 'node:fs/promises';
import { present } from '../../assert.ts';
import { cannotWrite, EtlError } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import { LIMITS } from '../../limits.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import { makeFolder } from '../../make-folder.ts';
import type { Connection } from '../../target/connect.ts';
import { lostOf, placeWinners, winnersOf, type LostRow } from '../../target/lost-rows.ts';
import { columnNames, csvField, textsOf } from '../quarantine/reject-file.ts';
import type { RejectedRow } from '../quarantine/reject-spool.ts';
import type { RejectedText } from '../quarantine/rejected-texts.ts';

/** A loaded file, and whether its records are told apart as those of a sifted one: see StagedFile. */
export interface KeptFile {
  readonly file: FilePlan;
  readonly sifted: boolean;
  /** Where its losing rows go. */
  readonly path: string;
}

/** Reads a file for the lines of its rows that win over others. */
export async function findLines(
  connection: Connection,
  { file, sifted }: KeptFile,
  signal: AbortSignal,
): Promise<void> {
  let lines: { record: number; line: number }[] = [];
  const winners = winnersOf(connection, file.ordinal);
  const options = { sifted, signal, unparsed: true };
  for await (const { row, line } of textsOf(file, asRows(winners, file), options)) {
    lines.push({ record: row.record, line });
    if (lines.length < LINES_AT_ONCE) continue;
    await placeWinners(connection, file.ordinal, lines);
    lines = [];
  }
  await placeWinners(connection, file.ordinal, lines);
}

const LINES_AT_ONCE = 10_000;

async function* asRows(
  records: AsyncIterable<number>,
  file: FilePlan,
): AsyncGenerator<RejectedRow> {
  for await (const record of records) yield rowOf(file, record);
}

function rowOf({ ordinal }: FilePlan, record: number): RejectedRow {
  return { file: ordinal, record, column: null, sqlState: null, reason: '' };
}

/**
 * Writes the rows of a file that lost: a CSV file in UTF-8 with the file and line of the loser, those
 * of the row that stays, and the loser's own fields. Resolves to how many; of none there is no file,
 * and what an earlier run has left under the name goes.
 *
 * @throws EtlError ETL_USAGE where it cannot be written, ETL_NO_ROOM
 */
export async function writeSuperseded(
  connection: Connection,
  { file, sifted, path }: KeptFile,
  pathOf: (ordinal: number) => string,
  signal: AbortSignal,
): Promise<number> {
  const aside = `${path}.part`;
  const lost = paired(lostOf(connection, file.ordinal), file);
  const asIs = isPlain(file);
  const texts = textsOf(file, lost.rows, { sifted, signal, unparsed: asIs });
  let written = 0;
  let block = '';
  try {
    await rm(aside, { force: true });
    const out = await open(aside, 'wx', 0o600);
    try {
      await out.writeFile(`${[...OWN_COLUMNS, ...columnNames(file)].map(csvField).join(',')}\n`);
      for await (const text of texts) {
        const { winnerFile, winnerLine } = lost.of(text.row.record);
        const own = [file.path, String(text.line), pathOf(winnerFile), String(winnerLine)];
        block += `${own.map(csvField).join(',')},${asIs ? plainText(text) : fieldsText(text)}\n`;
        written++;
        if (block.length < LIMITS.groupBlockBytes) continue;
        await out.writeFile(block);
        block = '';
      }
      await out.writeFile(block);
    } finally {
      await out.close();
    }
    if (written > 0) await rename(aside, path);
    else await Promise.all([rm(aside, { force: true }), rm(path, { force: true })]);
    return written;
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw error instanceof EtlError ? error : cannotBeWritten(path, error);
  }
}

/** Whether its records can stand in the file as they are. 200,000 of 8 columns: 3 s, parsed 35 s. */
function isPlain({ description }: FilePlan): boolean {
  if (description.kind !== 'csv' || description.path !== 'bytes') return false;
  const { delimiter, quote, escape, null: spelled, encoding } = description.dialect;
  const usual = delimiter === ',' && quote === '"' && escape === '"' && spelled === '';
  return usual && encoding === 'utf8';
}

/** A record that is too long to be shown whole is cut, and its quotes would not close. */
function plainText(text: RejectedText): string {
  if (text.row.reason !== '') return fieldsText(text);
  const { raw } = text;
  return raw.startsWith('\\x') ? Buffer.from(raw.slice(2), 'hex').toString() : raw;
}

function fieldsText({ fields }: RejectedText): string {
  return fields.map(csvField).join(',');
}

const OWN_COLUMNS = ['etl_file', 'etl_line', 'etl_winner_file', 'etl_winner_line'] as const;

/** The rows as a reader of the file wants them, and what each of them has lost to. */
function paired(
  lost: AsyncIterable<LostRow>,
  file: FilePlan,
): {
  readonly rows: AsyncGenerator<RejectedRow>;
  of(record: number): LostRow;
} {
  const known = new Map<number, LostRow>();
  return {
    rows: (async function* () {
      for await (const row of lost) {
        known.set(row.record, row);
        yield rowOf(file, row.record);
      }
    })(),
    of: (record) => {
      const row = present(known.get(record), `what record ${record} has lost to`);
      known.delete(record);
      return row;
    },
  };
}

/** Before anything is loaded, so that a folder that cannot be written ends the run and not its end. */
export async function prepareSupersededFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    const probe = `${folder}/.etl-superseded-${process.pid}`;
    await (await open(probe, 'w')).close();
    await rm(probe);
  } catch (error) {
    throw cannotBeWritten(folder, error);
  }
}

function cannotBeWritten(path: string, cause: unknown): EtlError {
  const advice = remedy`Give ${setting('settings.keepSuperseded')} a folder that exists or can be made, with room and the right to write.`;
  return cannotWrite('Superseded rows cannot be written', advice, path, cause);
}
