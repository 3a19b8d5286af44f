import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSequentially, tableDigest, type OracleRow } from '../../tools/oracle.ts';
import type { Plan } from '../../src/plan/plan-types.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { planJob, runPlan } from '../support/load.ts';
import { checkProperty } from '../support/property.ts';
import {
  csvAsWritten,
  randomUnchanged,
  recordOf,
  rowOf,
  type RandomUnchanged,
} from '../support/random-unchanged.ts';

/** Files that are compared with their table first leave it as the oracle does, whatever they hold. */
describe('the promise, where rows that change nothing are left out', () => {
  let db: TestDatabase;
  let folder: string;
  let cases = 0;
  let leftOut = 0;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-unchanged-'));
    await db.query(
      `create collation case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    );
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it('holds for random tables, files, policies, strategies and concurrency', async () => {
    const property = fc.asyncProperty(randomUnchanged, async (random) => {
      const name = `case_${++cases}`;
      const held = await createTables(name, random);
      const files = random.files.map((file) =>
        file.map((choice) => recordOf(random, choice, held)),
      );
      const paths = await writeFiles(name, random, files);
      const job = {
        settings: { concurrency: random.concurrency, onError: random.onError, rejects: folder },
        loads: [
          {
            table: name,
            files: paths,
            onConflict: random.onConflict,
            strategy: random.strategy,
            versionColumn: random.onConflict === 'newest' ? 'version' : null,
          },
        ],
      };
      const plan = compared(await planJob(db.url, job, { cwd: folder }), random);
      const report = await runPlan(db.url, plan, {
        onEvent: (event) => {
          if (event.kind !== 'notice') return;
          expect(event.sentence).not.toContain('could not be compared');
          leftOut += Number(/^([\d,]+) of .* are not sent/.exec(event.sentence)?.[1] ?? 0);
        },
      });
      expect(report.error).toBeNull();
      const columns = namesOf(random);
      await loadSequentially(
        (sql, params) => db.query(sql, params),
        { ...oracleTable(`${name}_oracle`, random) },
        files.map((rows) => ({ columns, rows })),
      );
      const [engine] = await db.query(tableDigest(name));
      const [oracle] = await db.query(tableDigest(`${name}_oracle`));
      expect(engine).toEqual(oracle);
      const rows = files.reduce((sum, file) => sum + file.length, 0);
      const { rowsRead, inserted, updated, unchanged, superseded } = report.loads[0]?.totals ?? {};
      expect(rowsRead).toBe(rows);
      expect((inserted ?? 0) + (updated ?? 0) + (unchanged ?? 0) + (superseded ?? 0)).toBe(rows);
      await db.query(`drop table ${name}, ${name}_oracle`);
    });
    await checkProperty('test/integration/unchanged-promise.test.ts', property, 120);
    expect(leftOut).toBeGreaterThan(0);
    await expectNoLeaks(db.url);
  }, 300_000);

  /** Two tables with the same rows; resolves to these as the server spells them. */
  async function createTables(name: string, random: RandomUnchanged): Promise<OracleRow[]> {
    const names = namesOf(random);
    const columns = random.columns.map(({ sqlType }, place) => `${names[place]} ${sqlType}`);
    const key = names.slice(0, random.keys).join(', ');
    for (const table of [name, `${name}_oracle`]) {
      await db.query(`create table ${table} (${columns.join(', ')}, primary key (${key}))`);
      await loadSequentially(
        (sql, params) => db.query(sql, params),
        { ...oracleTable(table, random), onConflict: 'update' },
        [{ columns: names, rows: random.before.map((picks) => rowOf(random.columns, picks)) }],
      );
    }
    await db.query(`set timezone = 'UTC'`);
    const texts = names.map(
      (column) => `case when ${column} is not null then format('%s', ${column}) end`,
    );
    const rows = await db.query<{ row: OracleRow }>(
      `select array[${texts.join(', ')}]::text[] as row from ${name}`,
    );
    return rows.map(({ row }) => row);
  }

  async function writeFiles(
    name: string,
    random: RandomUnchanged,
    files: readonly (readonly OracleRow[])[],
  ): Promise<string[]> {
    const written = files.map(async (rows, place) => {
      const path = join(folder, `${name}-${place}.csv`);
      await writeFile(path, csvAsWritten(namesOf(random), rows, random));
      return path;
    });
    return Promise.all(written);
  }
});

function namesOf({ columns, keys }: RandomUnchanged): string[] {
  const last = columns.length - 1;
  return columns.map((_, place) =>
    place === last ? 'version' : place < keys ? `k${place}` : `v${place}`,
  );
}

/** The plan as for a sample that says all rows are there already, whatever the files hold. */
function compared(plan: Plan, random: RandomUnchanged): Plan {
  const [load] = plan.loads;
  const { quoted, withinRange } = random;
  const columns = namesOf(random).map(
    (name) => ({ name, form: { kind: 'plain' }, quoted }) as const,
  );
  const unchanged = { columns, withinRange, sampled: 0, equal: 0 };
  return load === undefined ? plan : { ...plan, loads: [{ ...load, unchanged }] };
}

function oracleTable(
  table: string,
  random: RandomUnchanged,
): Parameters<typeof loadSequentially>[1] {
  const columns = namesOf(random);
  const { onConflict } = random;
  return {
    table,
    columns,
    key: columns.slice(0, random.keys),
    onConflict,
    versionColumn: 'version',
  };
}
