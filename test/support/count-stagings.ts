import type { TestSessions } from './database.ts';

/** Statements for a database that is to count the staging tables of units, once. */
export const COUNT_STAGINGS = `
  create sequence stagings minvalue 0;
  create function count_staging() returns event_trigger language plpgsql as $$
  begin
    perform nextval('stagings') from pg_event_trigger_ddl_commands()
      where object_type = 'table' and object_identity like '%etl_unit%';
  end $$;
  create event trigger count_stagings on ddl_command_end when tag in ('CREATE TABLE')
    execute function count_staging();`;

/** Staging tables that are made meanwhile. */
export async function stagingsMade<T>(
  db: Pick<TestSessions, 'query'>,
  meanwhile: () => Promise<T>,
): Promise<{ readonly made: number; readonly end: T }> {
  await db.query('alter sequence stagings restart with 0');
  const end = await meanwhile();
  const [row] = await db.query<{ last_value: string; is_called: boolean }>(
    'select last_value, is_called from stagings',
  );
  return { made: row?.is_called === true ? Number(row.last_value) + 1 : 0, end };
}
