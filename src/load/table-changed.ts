import { EtlError, errorRecordOf } from '../errors.ts';
import { OTHER_TABLE } from '../target/still-named.ts';

/**
 * undefined_column, undefined_table, undefined_object, invalid_column_reference (no unique index for
 * the key), datatype_mismatch, invalid_table_definition and wrong_object_type: what the statements
 * of a load, which fitted the table when it began, can only meet where somebody altered it.
 */
const ALTERED_SQL_STATES: ReadonlySet<string> = new Set([
  '42703',
  '42P01',
  '42704',
  '42P10',
  '42804',
  '42P16',
  '42809',
]);

/** Tells of a table that was altered under the load; any other error as it is. */
export function tableChanged(error: unknown, sqlName: string): unknown {
  const { sentence, facts } = errorRecordOf(error);
  if (!ALTERED_SQL_STATES.has(facts.sqlState ?? '')) return error;
  return new EtlError(
    'ETL_PLAN_STALE',
    sentence.includes(OTHER_TABLE)
      ? `Another table got the name ${sqlName}, or that of a further table, while it was loaded.`
      : `${sqlName} was altered while it was loaded: ${sentence}`,
    'Run again: the load is planned for the table as it is.',
    { ...facts, table: sqlName },
    { cause: error },
  );
}
