import { present } from '../assert.ts';
import type { Connection } from './connect.ts';
import { stagedColumn, type MergeTarget } from './merge-sql.ts';
import { stagedValue, type StagingTable } from './staging.ts';

const KEYS = 'pg_temp.etl_keys';
const LOST = 'pg_temp.etl_lost';
const WINNERS = 'pg_temp.etl_winners';

/** Adds the keys of a file that is staged, its rows numbered; the first call makes the table. */
export async function addKeys(
  connection: Connection,
  target: MergeTarget,
  staged: StagingTable,
  file: number,
): Promise<void> {
  const value = (name: string): string => stagedValue(stagedColumn(staged, name));
  const { versionColumn } = target;
  const fields = [
    ...target.key.map((name, place) => `${value(name)} as k${place}`),
    ...(versionColumn === null ? [] : [`${value(versionColumn)} as version`]),
  ];
  const rows = `select ${file} as file, etl_row as record, ${fields.join(', ')} from ${staged.sqlName}`;
  await connection.query(`create temp table if not exists etl_keys as ${rows} with no data`);
  await connection.query(`insert into ${KEYS} ${rows}`);
}

/**
 * Finds the rows that lose to another row of the same key by the policy of the load, and the one that
 * each loses to, which is the one that stays. Resolves to how many.
 */
export async function findLost(connection: Connection, target: MergeTarget): Promise<number> {
  const key = target.key.map((_, place) => `k${place}`).join(', ');
  await connection.query(
    `create temp table etl_lost as
     select file, record, winner_file, winner_record from (
       select file, record, first_value(file) over winners as winner_file,
              first_value(record) over winners as winner_record
         from ${KEYS} window winners as (partition by ${key} order by ${winnerFirst(target)})) k
      where (file, record) <> (winner_file, winner_record);
     create index on ${LOST} (file, record);
     create temp table etl_winners as
     select distinct winner_file as file, winner_record as record, null::bigint as line from ${LOST};
     create index on ${WINNERS} (file, record);
     drop table ${KEYS};
     analyze ${LOST}; analyze ${WINNERS}`,
  );
  const [row] = await connection.query(`select count(*) as lost from ${LOST}`);
  return Number(row?.['lost']);
}

function winnerFirst({ onConflict, versionColumn }: MergeTarget): string {
  if (onConflict === 'ignore') return 'file, record';
  const latest = 'file desc, record desc';
  if (onConflict === 'update') return latest;
  present(versionColumn, 'the version column');
  return `version desc nulls last, ${latest}`;
}

/** Numbers of the records of a file that win over another row, in their order. */
export function winnersOf(connection: Connection, file: number): AsyncGenerator<number> {
  return pages(async (after) => {
    const rows = await connection.query(
      `select record::float8 as record from ${WINNERS}
        where file = $1 and record > $2 order by record limit ${PAGE}`,
      [file, after],
    );
    return rows.map((row) => ({ record: Number(row['record']), item: Number(row['record']) }));
  });
}

/** Remembers in which lines of the file its winners stand. */
export async function placeWinners(
  connection: Connection,
  file: number,
  lines: readonly { readonly record: number; readonly line: number }[],
): Promise<void> {
  if (lines.length === 0) return;
  await connection.query(
    `update ${WINNERS} w set line = p.line
       from json_to_recordset($2) as p (record bigint, line bigint)
      where w.file = $1 and w.record = p.record`,
    [file, JSON.stringify(lines)],
  );
}

export interface LostRow {
  readonly record: number;
  readonly winnerFile: number;
  readonly winnerLine: number;
}

/** The rows of a file that lose, in their order; once the winners are placed. */
export function lostOf(connection: Connection, file: number): AsyncGenerator<LostRow> {
  return pages(async (after) => {
    const rows = await connection.query(
      `select l.record::float8 as record, l.winner_file, w.line::float8 as line
         from ${LOST} l join ${WINNERS} w on w.file = l.winner_file and w.record = l.winner_record
        where l.file = $1 and l.record > $2 order by l.record limit ${PAGE}`,
      [file, after],
    );
    return rows.map((row) => {
      const record = Number(row['record']);
      const winner = { winnerFile: Number(row['winner_file']), winnerLine: Number(row['line']) };
      return { record, item: { record, ...winner } };
    });
  });
}

const PAGE = 10_000;

async function* pages<T>(
  read: (after: number) => Promise<readonly { readonly record: number; readonly item: T }[]>,
): AsyncGenerator<T> {
  for (let after = 0; ;) {
    const page = await read(after);
    for (const { item } of page) yield item;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.record;
  }
}
