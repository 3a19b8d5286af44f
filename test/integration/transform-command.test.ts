import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli-process.ts';
import { useScene } from '../support/scene.ts';

/** Transforms in TypeScript and JavaScript, by the built command as a process of its own. */
const scene = useScene(
  (table) => `create table ${table} (id int primary key, score real, grade text)`,
);

const MODEL = `
  export interface Model { readonly weight: number }
  export type Grade = 'A' | 'B';
  export const model: Model = { weight: 2 };`;

const SCORE = `
  import { basename } from 'node:path';
  import { grade } from './grades/grade.ts';
  import { model, type Model } from './model.ts';
  interface Row { readonly id: string }
  export default {
    columns: ['score', 'grade'],
    setUp: async (): Promise<Model> => model,
    transform: (rows: readonly Row[], { weight }: Model) =>
      rows.map(({ id }) => ({ score: Number(id) * weight, grade: grade(id) + basename('/a/!') })),
  };`;

const GRADE = `
  import type { Grade } from '../model.ts';
  export const grade = (id: string): Grade => (Number(id) > 1 ? 'A' : 'B');`;

async function writeModules(): Promise<void> {
  await mkdir(join(scene.folder, 'grades'));
  await scene.write({ 'score.ts': SCORE, 'model.ts': MODEL, 'grades/grade.ts': GRADE });
  await scene.write({ 'f.csv': 'id\n1\n2\n3\n' });
}

function run(words: readonly string[], cwd = scene.folder) {
  const own = ['run', 'f.csv', '--table', scene.table, '--database-url', scene.db.url];
  return runCli([...own, ...words], { cwd });
}

const ROWS = [
  { id: 1, score: 2, grade: 'B!' },
  { id: 2, score: 4, grade: 'A!' },
  { id: 3, score: 6, grade: 'A!' },
];

test.each(['always', 'never'])(
  'a module in TypeScript, and what it imports, is read (threads %s)',
  async (threads) => {
    await writeModules();
    const end = await run(['--transform', './score.ts', '--threads', threads]);
    expect(end).toMatchObject({ code: 0 });
    await expect(scene.db.query(`select * from ${scene.table} order by id`)).resolves.toEqual(ROWS);
  },
);

test('the compiler is loaded once, however many threads read the module', async () => {
  await writeModules();
  await scene.write({ 'g.csv': 'id\n3\n', 'h.csv': 'id\n4\n' });
  const log = join(scene.folder, 'loads.log');
  const folder = join(scene.folder, 'node_modules/typescript');
  await mkdir(folder, { recursive: true });
  const real = createRequire(import.meta.url).resolve('typescript');
  await writeFile(
    join(folder, 'index.js'),
    `require('node:fs').appendFileSync(${JSON.stringify(log)}, 'loaded\\n');
     module.exports = require(${JSON.stringify(real)});`,
  );
  const words = ['g.csv', 'h.csv', '--transform', './score.ts', '--threads', 'always'];
  const end = await run([...words, '--concurrency', '2']);
  expect(end).toMatchObject({ code: 0 });
  expect(await readFile(log, 'utf8')).toBe('loaded\n');
  await expect(scene.db.query(`select id from ${scene.table} order by id`)).resolves.toHaveLength(
    4,
  );
  await rm(join(scene.folder, 'node_modules'), { recursive: true });
});

test('a module may use the library, and a job file names it beside itself', async () => {
  await writeModules();
  const jobs = join(scene.folder, 'jobs');
  await mkdir(join(scene.folder, 'node_modules'));
  await symlink(process.cwd(), join(scene.folder, 'node_modules/parallel-upsert'));
  await mkdir(jobs);
  await writeFile(
    join(jobs, 'typed.ts'),
    `import { defineTransform } from 'parallel-upsert';
     import { model } from '../model.ts';
     export default defineTransform<number, { readonly times: number }>({
       columns: ['score'],
       setUp: ({ times }) => times * model.weight,
       transform: (rows, times, { reject }) =>
         rows.map(({ id }) => (id === '3' ? reject('three') : { score: Number(id) * times })),
     });`,
  );
  const job = {
    settings: { onError: 'quarantine' },
    loads: [
      {
        files: ['../f.csv'],
        table: scene.table,
        transform: { module: 'typed.ts', options: { times: 5 } },
      },
    ],
  };
  await writeFile(join(jobs, 'job.json'), JSON.stringify(job));
  const words = ['run', '--config', 'jobs/job.json', '--database-url', scene.db.url];
  const end = await runCli(words, { cwd: scene.folder });
  expect(end).toMatchObject({ code: 3 });
  await expect(scene.db.query(`select id, score from ${scene.table} order by id`)).resolves.toEqual(
    [
      { id: 1, score: 10 },
      { id: 2, score: 20 },
    ],
  );
  await rm(join(scene.folder, 'node_modules'), { recursive: true });
});

test('what is wrong with it is told in a sentence, and by the stack with --verbose alone', async () => {
  await scene.write({ 'f.csv': 'id\n1\n', 'bad.js': 'export default { columns: 1 }' });
  await scene.write({ 'package.json': '{ "type": "module" }' });
  const end = await run(['--transform', 'bad.js']);
  expect(end.code).toBe(1);
  expect(end.stderr.replaceAll(/\s+/g, ' ')).toContain('bad.js: The transform cannot be used');
  expect(end.stderr).toContain('[ETL_TRANSFORM]');
  expect(end.stderr).not.toMatch(/\n\s+at /);
});

test('the plan says what a transform gives', async () => {
  await writeModules();
  const words = ['plan', 'f.csv', '--table', scene.table, '--transform', 'score.ts'];
  const end = await runCli([...words, '--database-url', scene.db.url], { cwd: scene.folder });
  expect(end.code).toBe(0);
  expect(end.stdout.replaceAll(/\s+/g, ' ')).toContain(
    'Every row goes through score.ts, 10,000 at a time; it gives score, grade.',
  );
});
