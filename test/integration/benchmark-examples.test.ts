import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparedLoads } from '../../benchmarks/examples/example-result.ts';
import { runInCheckout } from '../../benchmarks/examples/example-runner.ts';
import { runBenchmark } from '../../benchmarks/run-benchmark.ts';
import { createTestDatabase, expectNoLeaks, type TestDatabase } from '../support/database.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('etl benchmark --example', () => {
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(async () => {
    await expectNoLeaks(db.url);
    await db.drop();
  });

  it('runs a job in a database of its own, and keeps what it took', async () => {
    const said: string[] = [];
    const { results, failures } = await runBenchmark({
      ...{ databaseUrl: db.url, embedded: true, suite: 'quick, examples', version: '1.2.3' },
      ...{ scenarios: [], runs: 1, seed: 1, peers: { available: [], unavailable: [] } },
      examples: { names: ['ocds-releases'], size: 'small' },
      signal: new AbortController().signal,
      now: () => new Date(),
      onProgress: (progress) => {
        if (progress.kind === 'line') said.push(progress.line);
      },
    });
    expect(failures).toEqual([]);
    expect(results.cases).toEqual([]);
    const [example, ...others] = results.examples ?? [];
    expect(others).toEqual([]);
    expect(example).toMatchObject({ name: 'ocds-releases', size: 'small', failed: null });
    expect(example?.connectionsPeak).toBeGreaterThan(1);
    const [pages, files] = comparedLoads(results.examples ?? []);
    for (const load of [pages, files]) {
      expect(load?.load.rows).toBe(1_000);
      expect(load?.reported).toMatchObject({ msPerRow: 7, msPerRowBefore: 326 });
      expect(load?.msPerRow).toBeGreaterThan(0);
      expect(load?.load.rssPeakBytes).toBeGreaterThan(20e6);
      expect(load?.connectionsPeak).toBeGreaterThan(0);
    }
    expect(said.join('\n')).toContain('1000 releases are saved');
    const left = await db.query(
      `select datname from pg_database where datname like 'etl_example%'`,
    );
    expect(left).toEqual([]);
  }, 120_000);

  describe('with an example that is made for the test', () => {
    let root: string;

    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), 'etl-checkout-'));
      await mkdir(join(root, 'tools'));
      await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    });
    afterAll(() => rm(root, { recursive: true }));

    it('tells why it failed, in its own words', async () => {
      await runner(`console.error('one: looking'); throw new Error('the table holds 3 rows');`);
      const said: string[] = [];
      await expect(run((line) => said.push(line))).rejects.toMatchObject({
        record: { sentence: 'It failed: the table holds 3 rows' },
      });
      expect(said).toEqual(['looking']);
    });

    it('names the database by the environment, where nobody else reads it', async () => {
      const answer = `{ reported: process.env.EXAMPLE_DATABASE_URL, figures: process.argv.slice(2) }`;
      await runner(`console.log(JSON.stringify(${answer}));`);
      expect(await run(() => undefined)).toEqual({
        reported: 'postgres://me:secret@h/x',
        figures: ['one', '--size', 'small', '--json'],
      });
    });

    it('ends when it is aborted, and only once it has tidied up', async () => {
      await runner(`import { writeFileSync } from 'node:fs';
        process.once('SIGTERM', () => setTimeout(() => {
          writeFileSync(${JSON.stringify(join(root, 'tidied'))}, '');
          process.exit(1);
        }, 300));
        console.error('one: waiting'); setTimeout(() => undefined, 600_000);`);
      const abort = new AbortController();
      const running = run(() => {
        abort.abort();
      }, abort.signal);
      await expect(running).rejects.toThrow('aborted');
      await access(join(root, 'tidied'));
    });

    function runner(text: string): Promise<void> {
      return writeFile(join(root, 'tools/run-example.ts'), text);
    }

    function run(onLine: (line: string) => void, signal = new AbortController().signal) {
      const order = {
        name: 'one',
        size: 'small',
        databaseUrl: 'postgres://me:secret@h/x',
      } as const;
      return runInCheckout({ root, names: ['one'] }, { ...order, signal, onLine });
    }
  });
});

describe('npm run examples', () => {
  let db: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'etl-run-example-'));
  });
  afterAll(async () => {
    await expectNoLeaks(db.url);
    await db.drop();
    await rm(folder, { recursive: true });
  });

  it('what is typed wrongly is told in a sentence', async () => {
    for (const [words, told] of [
      [['profile'], 'There is no example "profile". Did you mean "profiles"?'],
      [['--size', 'big'], '--size is small or full.'],
      [['--seed', '-1'], '--seed'],
      [['--sized'], "Unknown option '--sized'"],
    ] as const) {
      const { code, stdout, stderr } = await runExample(...words);
      expect([code, stdout, stderr.startsWith('Error: ')]).toEqual([2, '', true]);
      expect(stderr).toContain(told);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
    const help = await runExample('--help');
    expect([help.code, help.stdout]).toEqual([0, expect.stringContaining('npm run examples -- ')]);
  });

  it('a server that is named takes the same example again, with other data, and keeps nothing', async () => {
    const databases = () => db.query(`select 1 from pg_database where datname like 'etl_example%'`);
    for (const seed of ['1', '42']) {
      const end = await runExample('profiles', '--database-url', db.url, '--seed', seed, '--json');
      expect([end.code, end.stderr]).toEqual([0, expect.not.stringContaining('Error')]);
      expect(JSON.parse(end.stdout)).toMatchObject({ name: 'profiles', size: 'small' });
      expect(await databases()).toEqual([]);
    }
    expect(await db.query(`select relname from pg_class where relname like '%profiles%'`)).toEqual(
      [],
    );
    expect((await readdir(folder)).filter((name) => name.startsWith('etl-'))).toEqual([]);
  });

  function runExample(...words: readonly string[]): Promise<End> {
    const command = ['--import', 'tsx', join(ROOT, 'tools/run-example.ts'), ...words];
    const options = { cwd: ROOT, env: { ...process.env, TMPDIR: folder } };
    return new Promise((resolve) => {
      execFile(process.execPath, command, options, (error, stdout, stderr) => {
        resolve({ code: Number(error?.code ?? 0), stdout, stderr });
      });
    });
  }
});

interface End {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
