import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openUpsertWith } from '../../src/run/upsert/upsert.ts';
import type { OracleFile } from '../../tools/oracle.ts';
import { CASES_LIMIT_MS, expectAsOracle, forCases } from '../support/promise.ts';
import { useScene } from '../support/scene.ts';

/** Call after call, the table is what its rows leave in plain SQL, one by one; the bad ones are missing. */
const scene = useScene(() => '');

const DDL = '(id integer primary key, version integer, name text, n numeric, doc jsonb)';

interface RandomRow {
  readonly id: number;
  readonly version: number;
  readonly name?: string | null;
  readonly n?: bigint | number;
  readonly doc?: unknown;
}

/** How a row is at fault: before it is spooled, at its COPY, or not at all. */
type Fault = 'function' | 'value' | 'none';

const row = fc.record(
  {
    id: fc.integer({ min: 0, max: 6 }),
    version: fc.integer({ min: 0, max: 3 }),
    name: fc.option(fc.constantFrom('', 'a', 'b\n', '\\N', '"'), { nil: null }),
    n: fc.oneof(fc.bigInt({ min: -3n, max: 3n }), fc.constantFrom(1.5, 1e21, -0.25)),
    doc: fc.constantFrom({ a: 1 }, [1, null], 'text', 7, { b: { c: [] } }),
  },
  { requiredKeys: ['id', 'version'] },
);
const faults = fc.constantFrom<Fault[]>('none', 'none', 'none', 'none', 'value', 'function');
const call = fc.array(fc.tuple(row, faults), { maxLength: 12 });

const randomCalls = fc.record({
  calls: fc.array(call, { minLength: 1, maxLength: 5 }),
  onConflict: fc.constantFrom('update', 'ignore', 'newest', 'append'),
  /** A call of more rows is several files, and several units of work. */
  fileRowsMax: fc.integer({ min: 1, max: 12 }),
  strategy: fc.constantFrom('auto', 'full-parallel', 'hybrid', 'sequential'),
});

test(
  'calls of a loader leave what their rows leave one by one',
  async () => {
    const { db } = scene;
    await forCases(25, randomCalls, async (random, table) => {
      const { calls, onConflict, fileRowsMax, strategy } = random;
      const ddl = onConflict === 'append' ? DDL.replace(' primary key', '') : DDL;
      await db.query(`create table ${table} ${ddl}; create table ${table}_oracle ${ddl}`);
      const versionColumn = onConflict === 'newest' ? 'version' : null;
      const target = {
        ...{ table, onConflict, versionColumn, strategy, databaseUrl: db.url },
        settings: { onError: 'quarantine', concurrency: 3 },
      } as const;
      const loader = await openUpsertWith(target, {}, { fileRowsMax });
      try {
        for (const rows of calls) {
          const done = await loader.upsert(rows.map(([good, fault]) => broken(good, fault)));
          const bad = rows.flatMap(([, fault], index) => (fault === 'none' ? [] : [index]));
          expect(done.rejected.map(({ index }) => index)).toEqual(bad);
          expect(done.counts).toMatchObject({ rowsRead: rows.length, rejected: bad.length });
          const { inserted, updated, unchanged, superseded, rejected } = done.counts;
          expect(inserted + updated + unchanged + superseded + rejected).toBe(rows.length);
        }
      } finally {
        await loader.close();
      }
      const own = { table, columns: [], key: ['id'], onConflict, versionColumn };
      await expectAsOracle(db, own, calls.map(oracleFile));
    });
  },
  CASES_LIMIT_MS,
);

function broken(good: RandomRow, fault: Fault): object {
  if (fault === 'none') return good;
  return fault === 'value' ? { ...good, version: 'none' } : { ...good, version: () => 1 };
}

/** A call brings the columns that any of its rows has. A row that cannot be said has none. */
function oracleFile(rows: readonly (readonly [RandomRow, Fault])[]): OracleFile {
  const said = rows.filter(([, fault]) => fault !== 'function').map(([good]) => good);
  const columns = [...new Set(said.flatMap((one) => Object.keys(one)))];
  const good = rows.filter(([, fault]) => fault === 'none').map(([one]) => one);
  return { columns, rows: good.map((one) => columns.map((name) => cell(one, name))) };
}

function cell({ doc, ...plain }: RandomRow, name: string): string | null {
  if (name === 'doc') return doc === undefined ? null : JSON.stringify(doc);
  const value = Object.entries(plain).find(([field]) => field === name)?.[1] ?? null;
  return value === null ? null : String(value);
}
