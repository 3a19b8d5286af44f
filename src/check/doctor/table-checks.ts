import type { Job } from '../../job/schema.ts';
import type { Connection } from '../../target/connect.ts';
import { parseTableName, readable } from '../../target/names.ts';
import { READ_TABLE_PRIVILEGES } from '../../target/sql/read-server-facts.ts';
import type { Check } from './doctor-types.ts';
import { tablePrivilegeCheck } from './privilege-checks.ts';

/** What the role may do with the tables of the job, each once. A name that is none the plan tells. */
export async function tableChecks(connection: Connection, loads: Job['loads']): Promise<Check[]> {
  const checks = new Map<string, Check>();
  const tables = loads.flatMap((load) => {
    const { createTable } = load;
    return [
      load,
      ...load.targets.map((target) => ({ ...target, createTable })),
      ...load.lookups.map(({ table, insertMissing }) => ({
        table,
        // By an earlier load of the job, if at all.
        createTable: loads.some((other) => other.table === table && other.createTable),
        onConflict: 'ignore',
        readOnly: !insertMissing,
      })),
    ];
  });
  for (const load of tables) {
    const name = parseTableName(load.table);
    if (name === null) continue;
    const sqlName = readable(...(name.schema === null ? [] : [name.schema]), name.name);
    const [row] = await connection.query(READ_TABLE_PRIVILEGES, [name.schema, name.name]);
    const check = tablePrivilegeCheck(row ?? {}, sqlName, load);
    const known = checks.get(sqlName);
    // Loads of one table may need different privileges of it.
    if (known === undefined || known.state === 'pass') checks.set(sqlName, check);
  }
  return [...checks.values()];
}
