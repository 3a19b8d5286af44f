import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadSequentially, type OracleFile } from '../../tools/oracle.ts';
import { load } from '../support/load.ts';
import { CASES_LIMIT_MS, expectEqualTwins, forCases } from '../support/promise.ts';
import { csvOf } from '../support/random-load.ts';
import { useScene } from '../support/scene.ts';

/**
 * What a row trigger makes of the rows is what it makes of them one by one, in the order of the files,
 * whichever files happen to be merged together.
 */
const scene = useScene(() => '');

const COLUMNS = ['k', 'v'];
const row = fc.tuple(fc.constantFrom('a', 'A', 'b', 'B', 'c'), fc.constantFrom('1', '2', '3', '4'));
const files: fc.Arbitrary<OracleFile[]> = fc.array(
  fc.array(row, { maxLength: 8 }).map((rows) => ({ columns: COLUMNS, rows })),
  { minLength: 1, maxLength: 5 },
);

/** Bodies of the trigger; `seen_…` is the table's own, and tells what it saw. */
const TRIGGERS = {
  'writes a history': `insert into seen_%s (k, v) values (new.k, new.v)`,
  'changes the key': `new.k := upper(new.k)`,
  'counts its updates': `if tg_op = 'UPDATE' then new.n := old.n + 1; end if`,
  'takes no more than two keys': `if tg_op = 'INSERT' and (select count(*) from %s where k <> new.k) > 1
                                  then return null; end if`,
};

describe('a row trigger that', () => {
  it.each(Object.entries(TRIGGERS))(
    '%s sees what a load row by row would show it',
    async (_, body) => {
      const cases = fc.record({
        files,
        concurrency: fc.integer({ min: 1, max: 4 }),
        onConflict: fc.constantFrom('update', 'ignore'),
        insertOnly: fc.boolean(),
      });
      await forCases(20, cases, async (drawn, table) => {
        const { db, folder } = scene;
        for (const name of [table, `${table}_oracle`]) await createTable(name, body);
        const { onConflict, concurrency } = drawn;
        const kept = drawn.insertOnly && onConflict === 'update' ? ['v'] : [];
        const paths = drawn.files.map((_file, place) => join(folder, `${table}-${place}.csv`));
        for (const [place, file] of drawn.files.entries()) {
          await writeFile(paths[place] ?? '', csvOf(file));
        }
        const policies = kept.length === 0 ? {} : { insertOnly: kept };
        const { report } = await load(
          db.url,
          { settings: { concurrency }, loads: [{ table, files: paths, onConflict, ...policies }] },
          { cwd: folder },
        );
        expect(report.error).toBeNull();
        const twin = { table: `${table}_oracle`, columns: COLUMNS, key: ['k'], onConflict };
        // Rows that change nothing are not written.
        const changing =
          onConflict === 'update' ? { compare: kept.length === 0 ? ['k', 'v'] : ['k'] } : {};
        await loadSequentially(
          (sql, params) => db.query(sql, params),
          { ...twin, versionColumn: null, insertOnly: kept, ...changing },
          drawn.files,
        );
        await expectEqualTwins(db, table);
        const seen = await db.query(`select k, v from seen_${table} order by place`);
        expect(seen).toEqual(
          await db.query(`select k, v from seen_${table}_oracle order by place`),
        );
        const { rowsRead = 0, superseded, ...rest } = report.loads[0]?.totals ?? {};
        const counted = Object.values(rest).reduce((sum, count) => sum + count, superseded ?? 0);
        expect(counted).toBe(rowsRead);
        await db.query(`drop table ${table}, ${table}_oracle, seen_${table}, seen_${table}_oracle`);
      });
    },
    CASES_LIMIT_MS,
  );
});

async function createTable(name: string, body: string): Promise<void> {
  await scene.db.query(
    `create table ${name} (k text primary key, v int, n int default 0);
     create table seen_${name} (place serial, k text, v int);
     create or replace function act_${name}() returns trigger language plpgsql as
       $$ begin ${body.replaceAll('%s', name)}; return new; end $$;
     create trigger acts before insert or update on ${name}
       for each row execute function act_${name}()`,
  );
}
