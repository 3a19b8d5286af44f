import { EtlError } from '../errors.ts';
import type { Connection } from './connect.ts';
import { quoted } from './names.ts';
import type { TargetColumn } from './table.ts';

/**
 * Lets the server look at a condition over a row of these columns, without a row.
 *
 * @throws EtlError ETL_USAGE where it is none
 */
export async function checkCondition(
  connection: Connection,
  columns: readonly Pick<TargetColumn, 'name' | 'type'>[],
  condition: string,
  table: string,
): Promise<void> {
  const fields = columns.map(({ name, type }) => `null::${type.cast} as ${quoted(name)}`);
  const sql = `explain select from (select ${fields.join(', ')}) of_the_row where (${condition})`;
  try {
    await connection.query(sql);
  } catch (error) {
    if (!(error instanceof EtlError) || !/^(?:22|42)/.test(error.record.facts.sqlState ?? '')) {
      throw error;
    }
    const { sentence, facts } = error.record;
    throw new EtlError(
      'ETL_USAGE',
      `The condition (where) of the rows for ${table} cannot be used: ${sentence}`,
      `Write a condition of SQL over its columns: ${columns.map(({ name }) => name).join(', ')}.`,
      { ...facts, table },
      { cause: error },
    );
  }
}
