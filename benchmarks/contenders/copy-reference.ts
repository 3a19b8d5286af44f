import { literal } from '../../src/target/names.ts';
import { columnsOf } from '../generate/columns.ts';
import { missingCommand } from '../peers/probe.ts';
import { runPeerCommand } from '../peers/measured-command.ts';
import { PSQL_FLAGS } from '../peers/psql-script.ts';
import type { Contender } from './contender.ts';
import { withoutPlan } from './peer-contender.ts';

export const COPY_REFERENCE = 'psql \\copy';

/** The yardstick of staging: the same rows as CSV, copied into the table and nothing else. */
export const copyReference: Contender = {
  name: COPY_REFERENCE,
  strategy: null,
  concurrency: null,
  formats: ['csv'],
  rowsMax: null,
  createsTable: false,
  deterministic: true,
  run: async ({ databaseUrl, schema, table, shape, files, signal }) => {
    const names = columnsOf(shape.scenario).map(({ name }) => name);
    const commands = files.paths.flatMap((path) => [
      '-c',
      `\\copy ${schema}.${table} (${names.join(', ')}) from ${literal(path)} with (format csv, header)`,
    ]);
    const psql = ['psql', ...PSQL_FLAGS, ...commands];
    return withoutPlan(await runPeerCommand(COPY_REFERENCE, psql, { databaseUrl, signal }));
  },
};

/** What is missing for it, or null. */
export function missingForReference(): Promise<string | null> {
  return missingCommand('psql');
}
