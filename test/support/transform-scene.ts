import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { expectNoLeaks } from './database.ts';
import { load, type LoadOptions } from './load.ts';
import { createWorkplace, type Workplace } from './table-pair.ts';

export interface Asked {
  readonly settings?: Record<string, unknown>;
  readonly options?: Record<string, unknown>;
  readonly files?: Record<string, string | Buffer | Uint8Array>;
  readonly run?: Partial<LoadOptions>;
  readonly [setting: string]: unknown;
}

const COLUMNS = 'id int primary key, name text, score double precision';
export const CSV = 'id,name\n1,a\n2,bb\n3,\n4,"d,\nd"\n';

/** The score of a row is the length of its name, times what the job says. */
export const SCORE = `export default {
  columns: ['score'],
  setUp: ({ times = 1 }) => times,
  transform: (rows, times) =>
    rows.map(({ name }) => ({ score: name === null ? null : name.length * times })),
}`;

export const SCORED = [
  { id: '1', name: 'a', score: '1' },
  { id: '2', name: 'bb', score: '2' },
  { id: '3', name: null, score: null },
  { id: '4', name: 'd,\nd', score: '4' },
];

/** A database and a folder, and loads of files through a module of the user's. */
export function useTransforms() {
  let made: Workplace;
  let tables = 0;
  beforeAll(async () => {
    made = await createWorkplace();
  });
  afterEach(() => expectNoLeaks(made.db.url));
  afterAll(() => made.remove());
  const place: Pick<Workplace, 'db' | 'folder'> = {
    get db() {
      return made.db;
    },
    get folder() {
      return made.folder;
    },
  };

  /** Writes a module and files, and loads them into a new table. */
  async function run(
    module: string,
    { settings, options = {}, files, run: how, ...rest }: Asked = {},
  ) {
    const table = `made${++tables}`;
    await place.db.query(`create table ${table} (${COLUMNS})`);
    await writeFile(join(place.folder, `${table}.mjs`), module);
    const names = Object.entries(files ?? { 'f.csv': CSV }).map(([name, content]) => {
      const own = `${table}-${name}`;
      return writeFile(join(place.folder, own), content).then(() => own);
    });
    const job = {
      settings: { concurrency: 2, ...settings },
      loads: [
        {
          table,
          files: await Promise.all(names),
          order: 'listed' as const,
          transform: { module: `${table}.mjs`, options },
          ...rest,
        },
      ],
    };
    const done = await load(place.db.url, job, { cwd: place.folder, ...how });
    return { ...done, table, job };
  }

  return { place, run };
}
