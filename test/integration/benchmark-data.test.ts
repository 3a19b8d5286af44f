import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnsOf } from '../../benchmarks/generate/columns.ts';
import { digestOf } from '../../benchmarks/generate/expected-rows.ts';
import { shapeOf } from '../../benchmarks/generate/shape.ts';
import { writeFiles } from '../../benchmarks/generate/write-files.ts';
import { benchmarkSession } from '../../benchmarks/measure/session.ts';
import { readScenarios } from '../../benchmarks/scenarios.ts';
import type { Scenario } from '../../benchmarks/scenario.ts';
import { expectedDigest, resetScratch, tableDigest } from '../../benchmarks/scratch-table.ts';
import { connect, type Connection } from '../../src/target/connect.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';

const scenarios = await readScenarios();
const SCHEMA = 'data_check';

/**
 * The files know their answer: loaded by plain SQL, one after another, they leave the table that
 * arithmetic alone predicts. The engine takes no part.
 */
describe('generated data', () => {
  let db: TestDatabase;
  let folder: string;
  let connection: Connection;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-data-'));
    connection = await connect(benchmarkSession(db.url));
  });
  afterAll(async () => {
    await connection.end();
    await expectNoLeaks(db.url);
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    'of %s leave the table that is predicted',
    async (name, scenario) => {
      const tableRows = Object.keys(scenario.tableRows).length > 0 ? 700 : 0;
      const shape = shapeOf(
        // Without its bad row, which COPY would refuse.
        { ...scenario, files: Math.min(scenario.files, 16), badRow: false },
        600,
        tableRows,
        7,
      );
      const files = await writeFiles(
        shape,
        ['csv'],
        join(folder, name),
        new AbortController().signal,
      );
      await resetScratch(connection, SCHEMA, shape, true);
      expect(await rowsOf()).toBe(shape.tableRows);
      for (const path of files.paths) await loadPlainly(path, shape.scenario);
      expect(await tableDigest(connection, SCHEMA, shape)).toBe(
        await expectedDigest(connection, shape),
      );
      // The equation would hold for tables of nothing.
      expect(await rowsOf()).toBeGreaterThan(scenario.skew > 0 ? 200 : 99);
    },
  );

  it('are told apart by their digest', async () => {
    const digest = async (rows: string) => {
      const [row] = await connection.query(digestOf(rows, ['a', 'b']));
      return row?.['digest'];
    };
    const one = await digest(
      `values (1, 'x'), (2, null)`.replace(/^/, 'select * from (') + ') v (a, b)',
    );
    const other = await digest(`select * from (values (2, null), (1, 'x')) v (a, b)`);
    const changed = await digest(`select * from (values (1, 'x'), (2, '')) v (a, b)`);
    const twice = await digest(`select * from (values (1, 'x'), (2, null), (2, null)) v (a, b)`);
    expect(other).toBe(one);
    expect(new Set([one, changed, twice]).size).toBe(3);
  });

  async function rowsOf(): Promise<number> {
    const [row] = await connection.query(`select count(*) as rows from ${SCHEMA}.target`);
    return Number(row?.['rows']);
  }

  async function loadPlainly(path: string, scenario: Scenario): Promise<void> {
    const columns = columnsOf(scenario);
    const names = columns.map((column) => column.name).join(', ');
    const key = columns.filter((column) => column.key).map((column) => column.name);
    const set = columns.map((column) => `${column.name} = excluded.${column.name}`).join(', ');
    const update = `on conflict (${key.join(', ')}) do update set ${set}`;
    await connection.query(
      `create temp table plain (like ${SCHEMA}.target, line bigint generated always as identity)`,
    );
    await connection.copyIn(
      `copy plain (${names}) from stdin with (format csv, header)`,
      (async function* () {
        yield await readFile(path);
      })(),
    );
    await connection.query(
      scenario.onConflict === 'append'
        ? `insert into ${SCHEMA}.target select ${names} from plain`
        : `insert into ${SCHEMA}.target select distinct on (${key.join(', ')}) ${names}
             from plain order by ${key.join(', ')}, line desc ${update}`,
    );
    await connection.query('drop table plain');
  }
});
