import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type OracleRow, type OracleTable } from '../../tools/oracle.ts';
import { loadInBatches } from '../support/batched-oracle.ts';
import type { Plan } from '../../src/plan/plan-types.ts';
import { planJob, runPlan } from '../support/load.ts';
import { CASES_LIMIT_MS, expectAsOracle, expectBalanced, forCases } from '../support/promise.ts';
import { CASE_BLIND } from '../support/random-load.ts';
import {
  csvAsWritten,
  randomUnchanged,
  recordOf,
  rowOf,
  type RandomUnchanged,
} from '../support/random-unchanged.ts';
import { useScene } from '../support/scene.ts';

/** Files that are compared with their table first leave it as the oracle does, whatever they hold. */
const scene = useScene(() => '', CASE_BLIND);

it(
  'holds where rows that change nothing are left out',
  async () => {
    const { db, folder } = scene;
    let leftOut = 0;
    await forCases(120, randomUnchanged, async (random, name) => {
      const held = await createTables(name, random);
      const files = random.files.map((file) =>
        file.map((choice) => recordOf(random, choice, held)),
      );
      const paths = await writeFiles(name, random, files);
      const { concurrency, onError, onConflict, strategy } = random;
      const versionColumn = onConflict === 'newest' ? 'version' : null;
      const job = {
        settings: { concurrency, onError, rejects: folder },
        loads: [{ table: name, files: paths, onConflict, strategy, versionColumn }],
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
      const brought = files.map((rows) => ({ columns, rows }));
      await expectAsOracle(db, oracleTable(name, random), brought);
      expectBalanced(report.loads[0]?.totals, files.flat().length);
      expect(report.loads[0]?.totals.rejected).toBe(0);
      await db.query(`drop table ${name}, ${name}_oracle`);
    });
    expect(leftOut).toBeGreaterThan(0);
  },
  CASES_LIMIT_MS,
);

/** Two tables with the same rows; resolves to these as the server spells them. */
async function createTables(name: string, random: RandomUnchanged): Promise<OracleRow[]> {
  const { db } = scene;
  const names = namesOf(random);
  const columns = random.columns.map(({ sqlType }, place) => `${names[place]} ${sqlType}`);
  const key = names.slice(0, random.keys).join(', ');
  for (const table of [name, `${name}_oracle`]) {
    await db.query(`create table ${table} (${columns.join(', ')}, primary key (${key}))`);
    await loadInBatches(db, { ...oracleTable(table, random), onConflict: 'update' }, [
      { columns: names, rows: random.before.map((picks) => rowOf(random.columns, picks)) },
    ]);
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
    const path = join(scene.folder, `${name}-${place}.csv`);
    await writeFile(path, csvAsWritten(namesOf(random), rows, random));
    return path;
  });
  return Promise.all(written);
}

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
  // Of some the keys are read at once, as where the sample saw a change; of others only if need be.
  const unchanged = { columns, withinRange, sampled: 1, equal: quoted ? 0 : 1, tableRows: 0 };
  return load === undefined ? plan : { ...plan, loads: [{ ...load, unchanged }] };
}

function oracleTable(table: string, random: RandomUnchanged): OracleTable {
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
