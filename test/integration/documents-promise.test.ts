import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';
import { load } from '../support/load.ts';
import { checkProperty } from '../support/property.ts';

/** A document: its key, a version, and its content, which may be no text. */
interface Page {
  readonly id: number;
  readonly version: number;
  readonly content: string;
}

interface RandomLake {
  /** What each run finds that the one before did not; paths sort as the pages come. */
  readonly runs: readonly (readonly Page[])[];
  readonly onConflict: 'update' | 'ignore' | 'newest' | 'append';
  readonly strategy: 'auto' | 'full-parallel' | 'hybrid' | 'sequential' | 'partitioned';
  readonly concurrency: number;
  readonly exists: boolean;
  /** What a transform makes of them, a few at a time; null: there is none. */
  readonly turn: { readonly batch: number; readonly fours: 'load' | 'reject' | 'throw' } | null;
}

const BAD = 'bad';
const page = fc.record({
  // Few, which come again, or many, of which each document has one of its own.
  id: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 100_000 })),
  version: fc.integer({ min: 1, max: 4 }),
  content: fc.constantFrom('', 'a', 'b', 'tab\tline\n\\', 'ä', BAD),
});
const lake: fc.Arbitrary<RandomLake> = fc.record({
  runs: fc.array(fc.array(page, { minLength: 1, maxLength: 25 }), { minLength: 1, maxLength: 3 }),
  onConflict: fc.constantFrom('update', 'update', 'ignore', 'newest', 'append'),
  strategy: fc.constantFrom('auto', 'full-parallel', 'hybrid', 'sequential', 'partitioned'),
  concurrency: fc.integer({ min: 1, max: 4 }),
  exists: fc.boolean(),
  turn: fc.option(
    fc.record({
      batch: fc.integer({ min: 1, max: 9 }),
      fours: fc.constantFrom('load', 'reject', 'throw'),
    }),
  ),
});

/** The content with its id behind it; a document whose version is 4 may be bad. */
const TURN = `export default {
  columns: ['content'],
  setUp: ({ fours }) => fours,
  transform: (rows, fours, { reject }) => {
    if (fours === 'throw' && rows.some(({ version }) => version === '4')) throw new Error('four');
    return rows.map(({ id, version, content }) =>
      fours === 'reject' && version === '4' ? reject('four') : { content: content + '#' + id });
  },
}`;

describe('documents', () => {
  let db: TestDatabase;
  let folder: string;
  let cases = 0;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-documents-'));
    await writeFile(join(folder, 'turn.mjs'), TURN);
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  it('leave the table that they would leave one by one, without the bad ones', async () => {
    const property = fc.asyncProperty(lake, async (drawn) => {
      const table = `lake_${++cases}`;
      if (drawn.exists) await db.query(tableSql(table, drawn));
      const written: Page[] = [];
      let rejected = 0;
      for (const pages of drawn.runs) {
        await write(table, written.length, pages);
        written.push(...pages);
        const { report } = await load(db.url, jobOf(table, drawn), { cwd: folder });
        expect(report.error).toBeNull();
        expect(report.loads[0]?.totals.rowsRead).toBe(pages.length);
        rejected += report.loads[0]?.totals.rejected ?? 0;
      }
      const rows = await db.query(
        `select id::int, version::int, content from ${table} order by id, version, content collate "C"`,
      );
      expect(rows).toEqual(inOrder(oneByOne(written, drawn)));
      expect(rejected).toBe(written.length - good(written, drawn).length);
      await db.query(`drop table ${table}`);
    });
    await checkProperty('test/integration/documents-promise.test.ts', property, 60);
    await expectNoLeaks(db.url);
  }, 180_000);

  async function write(table: string, from: number, pages: readonly Page[]): Promise<void> {
    await mkdir(join(folder, table), { recursive: true });
    for (const [index, { id, version, content }] of pages.entries()) {
      const bytes = content === BAD ? Buffer.from([0x61, 0xff]) : content;
      await writeFile(join(folder, table, `${from + index}-${id}-v${version}.txt`), bytes);
    }
  }

  function jobOf(table: string, { onConflict, strategy, concurrency, turn }: RandomLake) {
    const newest = onConflict === 'newest' ? { versionColumn: 'version' } : {};
    const append = onConflict === 'append';
    return {
      settings: {
        concurrency,
        onError: 'quarantine' as const,
        rejects: join(folder, `${table}-rejects`),
        ...(turn === null ? {} : { subBatchSize: turn.batch }),
      },
      loads: [
        {
          ...{ table, onConflict, ...newest, ...(append ? {} : { key: ['id'] }) },
          strategy: append && strategy === 'partitioned' ? ('auto' as const) : strategy,
          files: [`${table}/*.txt`],
          documents: { path: '{n}-{id}-v{version}.txt' },
          columns: { n: null },
          transform: turn === null ? null : { module: 'turn.mjs', options: { fours: turn.fours } },
        },
      ],
    };
  }
});

function tableSql(table: string, { onConflict }: RandomLake): string {
  const key = onConflict === 'append' ? '' : ' primary key';
  return `create table ${table} (id bigint${key}, version bigint, content text)`;
}

/** What is to be loaded, as it is then. */
function good(pages: readonly Page[], { turn }: RandomLake): Page[] {
  const readable = pages.filter(({ content }) => content !== BAD);
  if (turn === null) return readable;
  return readable
    .filter(({ version }) => turn.fours === 'load' || version !== 4)
    .map((one) => ({ ...one, content: `${one.content}#${one.id}` }));
}

function oneByOne(pages: readonly Page[], drawn: RandomLake): Page[] {
  const { onConflict } = drawn;
  const made = good(pages, drawn);
  if (onConflict === 'append') return made;
  const rows = new Map<number, Page>();
  for (const next of made) {
    const before = rows.get(next.id);
    const wins =
      before === undefined ||
      onConflict === 'update' ||
      (onConflict === 'newest' && next.version >= before.version);
    if (wins) rows.set(next.id, next);
  }
  return [...rows.values()];
}

function inOrder(pages: readonly Page[]): Page[] {
  const bytes = ({ content }: Page): Buffer => Buffer.from(content);
  return pages.toSorted(
    (a, b) => a.id - b.id || a.version - b.version || Buffer.compare(bytes(a), bytes(b)),
  );
}
