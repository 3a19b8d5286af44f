import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LoadPlan } from '../../src/plan/plan-types.ts';
import { loadSequentially, type OracleFile } from '../../tools/oracle.ts';
import { expectNoLeaks } from '../support/database.ts';
import { load, planJob } from '../support/load.ts';
import { createServerTypes, type ServerTypes, type TypeKind } from '../support/server-types.ts';
import {
  createTwice,
  createWorkplace,
  messageOf,
  rowsOf,
  sqlText,
  writeCsv,
  type TestLoad,
  type Workplace,
} from '../support/table-pair.ts';

/**
 * Every type that a B-tree can hold, as the key of files that overlap. Whether the server can hash a
 * type, and so prove that two files share no key, is asked of the server itself here.
 */
let place: Workplace;
let types: ServerTypes;
let keys: readonly KeyKind[];

interface KeyKind extends TypeKind {
  readonly hashable: boolean;
}

/** The server could hash them; the engine does not look so deep into the catalog. */
const TAKEN_FOR_UNHASHABLE = new Set(['pair', '_pair', '_int4range']);

beforeAll(async () => {
  place = await createWorkplace();
  types = await createServerTypes(place.db);
  keys = await keyKinds();
});
afterEach(() => expectNoLeaks(place.db.url));
afterAll(() => place.remove());

it('are most types, and most can be hashed', () => {
  expect(keys.length).toBeGreaterThan(70);
  const unhashable = keys.filter(({ hashable }) => !hashable).map(({ name }) => name);
  expect(unhashable).toEqual(expect.arrayContaining(['money', 'bit', 'varbit', 'tsvector']));
  expect(keys.length - unhashable.length).toBeGreaterThan(50);
});

describe('a key of any type', () => {
  // The strategies that prove by hashes share one machine, so each type takes one of the two.
  it.each([
    ['auto', () => true],
    ['full-parallel', (index: number) => index % 2 === 0],
    ['hybrid', (index: number) => index % 2 === 1],
    ['partitioned', () => true],
    ['sequential', (index: number) => index % 5 === 0],
  ] as const)('merges as the oracle does: %s', async (strategy, takes) => {
    const anyType = strategy === 'auto' || strategy === 'sequential';
    const chosen = keys.filter(({ hashable }) => anyType || hashable);
    const tables = chosen
      .filter((_, index) => takes(index))
      .map((kind, index) => ({ kind, name: `key_${strategy.replace('-', '_')}_${index}` }));
    const loads: TestLoad[] = [];
    for (const { kind, name } of tables) loads.push({ ...(await prepare(name, kind)), strategy });
    const { report, plans } = await loadAll(loads);
    expect(report.error).toBeNull();
    for (const [index, { kind, name }] of tables.entries()) {
      const context = `${kind.sqlType} as key`;
      const oracle = await rowsOf(place, `${name}_oracle`);
      expect(await rowsOf(place, name), context).toEqual(oracle);
      const couplings = plans[index]?.couplings.map((coupling) => coupling.kind);
      expect(couplings, context).toEqual(kind.hashable ? [] : ['key not hashable']);
      if (!kind.hashable) expect(report.loads[index]?.strategy, context).toBe('sequential');
    }
  });

  it('says so where no two files can be proved to share no key', async () => {
    const unhashable = keys.filter(({ hashable }) => !hashable);
    for (const [index, kind] of unhashable.entries()) {
      const one = await prepare(`unhashed_${index}`, kind);
      const sentence = 'the database cannot hash the key column k (';
      expect((await planOf(one))?.reason).toContain(sentence);
      for (const strategy of ['full-parallel', 'hybrid', 'partitioned'] as const) {
        await expect(planOf({ ...one, strategy })).rejects.toThrow(sentence);
      }
    }
  });
});

/** The types of the server that a primary key can have. */
async function keyKinds(): Promise<KeyKind[]> {
  const arrays = ['_int4', '_text', '_money', '_numeric', '_mood', '_cidr', '_int4range', '_pair'];
  const some = types.arrays.filter(({ name }) => arrays.includes(name));
  const found: KeyKind[] = [];
  for (const kind of [...types.base, ...some]) {
    const made = place.db.query(`create temp table probe (k ${kind.sqlType} primary key)`);
    const message = await messageOf(made);
    await place.db.query('drop table if exists probe');
    if (message === null) found.push({ ...kind, hashable: await hashes(kind) });
    else expect(message).toContain('has no default operator class for access method "btree"');
  }
  return found;
}

async function hashes({ name, sqlType, texts }: TypeKind): Promise<boolean> {
  const value = `${sqlText(texts[0] ?? '')}::${sqlType}`;
  const hashed = place.db.query(`select hash_record_extended(row(${value}), 0)`);
  const message = await messageOf(hashed);
  if (message !== null) expect(message).toContain('could not identify');
  return message === null && !TAKEN_FOR_UNHASHABLE.has(name);
}

/** The table and its twin, filled by the oracle, and the load that is to do the same. */
async function prepare(name: string, kind: TypeKind): Promise<TestLoad> {
  await createTwice(place, name, `(k ${kind.sqlType} primary key, v integer)`);
  const files = keyFiles(kind);
  const target = {
    columns: ['k', 'v'],
    key: ['k'],
    onConflict: 'update',
    versionColumn: null,
  } as const;
  const execute = (sql: string, params: readonly unknown[]) => place.db.query(sql, params);
  await loadSequentially(execute, { table: `${name}_oracle`, ...target }, files);
  return { table: name, files: await writeCsv(place, name, files) };
}

/** Three files that overlap; the second brings its keys twice. */
function keyFiles({ texts }: TypeKind): OracleFile[] {
  const file = (first: number, spelled: readonly string[]): OracleFile => ({
    columns: ['k', 'v'],
    rows: spelled.map((key, row) => [key, String(first + row)]),
  });
  const odd = texts.filter((_, index) => index % 2 === 1);
  return [file(100, texts), file(200, [...odd, ...odd]), file(300, texts.toReversed().slice(0, 2))];
}

async function loadAll(loads: TestLoad[]) {
  const job = { settings: { concurrency: 4 }, loads };
  const { plan, report } = await load(place.db.url, job, { cwd: place.folder });
  return { plans: plan.loads, report };
}

async function planOf(one: TestLoad): Promise<LoadPlan | undefined> {
  const { loads } = await planJob(place.db.url, { loads: [one] }, { cwd: place.folder });
  return loads[0];
}
