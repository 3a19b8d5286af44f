import { EtlError } from '../errors.ts';
import type { Connection } from './connect.ts';
import { LIMITS } from '../limits.ts';
import { literal } from './names.ts';
import { stagedValue, type StagingColumn, type StagingTable } from './staging.ts';
import { inTransaction } from './transaction.ts';

/** A staged value that its column's type refuses. */
export interface BadCast {
  /** Number of the row in its file, from 1. */
  readonly row: number;
  /** The staged column. */
  readonly column: string;
  readonly value: string;
  readonly error: EtlError;
}

/**
 * Of the copied columns those that the merges will cast. A view with a condition may leave out the
 * very rows whose values cannot be cast, so it has none.
 */
export function castColumns(table: StagingTable, copied: readonly string[]): StagingColumn[] {
  const views = (table.views ?? []).filter(({ where }) => where === undefined);
  return [table, ...views]
    .flatMap(({ columns }) => columns)
    .filter((column) => column.cast !== null && copied.includes(column.name));
}

/**
 * Tries the casts that the merge will do, on the rows of one file (null: the table has no other),
 * and returns the first that fails. Else such a value would be met by whatever reads the staged
 * column first: a range, a hash, the merge of a whole group or of one owner's share of all files,
 * none of which knows its file and row. It costs the casts once more: 500,000 texts to dates 0.2 s.
 */
export async function findBadCast(
  connection: Connection,
  table: StagingTable,
  columns: readonly StagingColumn[],
  file: number | null,
): Promise<BadCast | null> {
  const values = columns.map((column) => `count(${stagedValue(column)})`);
  const where = file === null ? '' : ` where etl_file = ${file}`;
  try {
    await connection.query(`select ${values.join(', ')} from ${table.sqlName}${where}`);
    return null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return locate(connection, `${table.sqlName}${where}`, columns, error);
  }
}

/**
 * Takes the rows with such a value out of staging and returns them, in order: so many at once that
 * they can be held; none where there are no more. Of a row the first value is told.
 */
export async function takeBadCasts(
  connection: Connection,
  table: StagingTable,
  columns: readonly StagingColumn[],
  file: number | null,
): Promise<readonly BadCast[]> {
  if ((await findBadCast(connection, table, columns, file)) === null) return [];
  const where = file === null ? '' : ` where etl_file = ${file}`;
  const tries = columns.map(
    (column) => `begin
      perform ${stagedValue({ ...column, name: `r.${column.name}` })};
    exception when others then
      insert into pg_temp.etl_bad_casts values
        (r.etl_row, ${literal(column.name)}, left(r.${column.name}::text, 200), sqlstate, sqlerrm);
      found := found + 1;
      exit when found = ${LIMITS.refusedRowsHeldMax};
      continue;
    end;`,
  );
  const names = namesOf(columns);
  const block = `declare
    r record;
    found integer := 0;
  begin
    for r in select etl_row, ${names} from ${table.sqlName}${where} order by etl_row loop
      ${tries.join('\n      ')}
    end loop;
  end`;
  return inTransaction(connection, async () => {
    await connection.query(
      `create temp table etl_bad_casts
         (place bigint, name text, value text, state text, message text) on commit drop`,
    );
    await connection.query(`do ${literal(block)}`);
    await connection.query(
      `delete from ${table.sqlName}${where === '' ? ' where' : `${where} and`}
         etl_row in (select place from pg_temp.etl_bad_casts)`,
    );
    const rows = await connection.query('select * from pg_temp.etl_bad_casts order by place');
    return rows.map((row) => ({
      row: Number(row['place']),
      column: String(row['name']),
      value: typeof row['value'] === 'string' ? row['value'] : '',
      error: badCastError(String(row['message']), String(row['state'])),
    }));
  });
}

/** Each once: several tables may cast one staged column. */
function namesOf(columns: readonly StagingColumn[]): string {
  return [...new Set(columns.map((column) => column.name))].join(', ');
}

/** Data, an integrity rule of a domain, or a name that the catalog does not have (regclass). */
function isRefusal(error: unknown): error is EtlError {
  return error instanceof EtlError && /^(?:22|23|42)/.test(error.record.facts.sqlState ?? '');
}

/** Row by row, each in a subtransaction, until one raises again what it met, with its place. */
async function locate(
  connection: Connection,
  from: string,
  columns: readonly StagingColumn[],
  found: EtlError,
): Promise<BadCast> {
  const tries = columns.map((column) => {
    const value = `r.${column.name}`;
    return `begin
      perform ${stagedValue({ ...column, name: value })};
    exception when others then
      raise exception using errcode = sqlstate, message = sqlerrm, detail = r.etl_row::text,
        column = ${literal(column.name)}, hint = left(${value}::text, 200);
    end;`;
  });
  const names = namesOf(columns);
  const block = `declare r record;
  begin
    for r in select etl_row, ${names} from ${from} order by etl_row loop
      ${tries.join('\n      ')}
    end loop;
  end`;
  try {
    await connection.query(`do ${literal(block)}`);
  } catch (error) {
    if (!(error instanceof EtlError)) throw error;
    const { detail, column, hint, message } = error.cause as Readonly<Record<string, string>>;
    if (detail !== undefined && column !== undefined && message !== undefined) {
      return {
        row: Number(detail),
        column,
        value: hint ?? '',
        error: badCastError(message, error.record.facts.sqlState ?? '', error),
      };
    }
    throw error;
  }
  throw found;
}

function badCastError(message: string, sqlState: string, cause?: EtlError): EtlError {
  return new EtlError(
    'ETL_ROW_INVALID',
    `${message}.`,
    'Correct the value, or change the table.',
    sqlState === '' ? {} : { sqlState },
    { cause },
  );
}
