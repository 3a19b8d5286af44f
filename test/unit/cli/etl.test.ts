import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from '../../../src/cli/etl.ts';
import { EtlError } from '../../../src/errors.ts';
import { fileReport, loadReport } from '../report/fixtures.ts';
import { scripted, worldOf, type Script } from './scripted-engine.ts';

const load = ['run', 'a.csv', '--table', 't'];

async function run(argv: readonly string[], script: Script = {}, env = {}) {
  const engine = scripted(script);
  const { world, out, err, interrupt } = worldOf(env);
  const code = await main(argv, world, engine.engine);
  return { code, out: out(), err: err(), interrupt, ...engine };
}

describe('etl run', () => {
  test('plans, loads, tells, and ends the use of the embedded server', async () => {
    const { code, out, err, calls, jobs } = await run(load);
    expect(code).toBe(0);
    expect(calls).toEqual(['start attached', 'plan', 'run', 'release']);
    expect(jobs[0]?.loads[0]?.files).toEqual(['/home/me/a.csv']);
    expect(out).toContain('No database is named, so the embedded PostgreSQL 18.4');
    expect(out).toContain('Plan 0123456789abcdef');
    expect(out).toContain('exit code 0');
    expect(out).toContain('etl db start');
    expect(err).toBe('');
  });

  test('names the command as it was called: through npm, or not', async () => {
    expect((await run(load)).out).toContain('"etl db url"');
    expect((await run(load, {}, { npm_command: 'exec' })).out).toContain('"npx etl db url"');
    const { err } = await run(load, { status: 'interrupted' }, { npm_command: 'run-script' });
    expect(err).toContain('\n  npx etl run a.csv --table t\n');
  });

  test.each([
    ['loaded', 0],
    ['failed', 1],
    ['rejected-rows', 3],
    ['interrupted', 130],
  ] as const)('%s ends with exit code %d', async (status, code) => {
    expect((await run(load, { status })).code).toBe(code);
  });

  test('takes the database of the flag, then of DATABASE_URL, then of PG…', async () => {
    const flag = await run([...load, '--database-url', 'postgres://f/x'], {}, { PGHOST: 'h' });
    expect(flag.options[0]).toMatchObject({ databaseUrl: 'postgres://f/x', embedded: false });
    const url = await run(load, {}, { DATABASE_URL: 'postgres://e/x', PGHOST: 'h' });
    expect(url.options[1]).toMatchObject({ databaseUrl: 'postgres://e/x' });
    const variables = await run(load, {}, { PGHOST: 'h', PGUSER: 'u' });
    expect(variables.options[0]).toMatchObject({ databaseUrl: 'postgres://', embedded: false });
    expect(variables.out).toContain('The database is that of PGHOST, PGUSER.');
    expect(variables.calls).toEqual(['plan', 'run']);
  });

  test('--dry-run stops after the plan', async () => {
    const { code, out, calls } = await run([...load, '--dry-run']);
    expect(code).toBe(0);
    expect(calls).toEqual(['start attached', 'plan', 'release']);
    expect(out).toContain('Dry run: nothing was loaded.');
    const json = await run([...load, '--dry-run', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ planId: '0123456789abcdef' });
  });

  test('--json prints the report alone on stdout', async () => {
    const { out, err } = await run([...load, '--json']);
    expect(JSON.parse(out)).toMatchObject({ runId: 'run-1', status: 'loaded' });
    expect(err).toContain('embedded PostgreSQL');
  });

  test('--quiet prints nothing but errors', async () => {
    const { out, err } = await run([...load, '--quiet']);
    expect(out + err).toBe('');
    const error = new EtlError('ETL_CSV_MALFORMED', 'Stray quote.', 'Mend it.', { file: 'a.csv' });
    const failed = await run([...load, '--quiet'], { status: 'failed', error: error.record });
    expect(failed.code).toBe(1);
    expect(failed.out).toBe('');
    expect(failed.err).toBe('etl: a.csv: Stray quote. Mend it. [ETL_CSV_MALFORMED]\n');
    const files = [fileReport(0, { rejected: 2, rejects: '/r/a.csv.rejects.csv' })];
    const loads = [loadReport({ files })];
    const rejected = await run([...load, '--quiet'], { status: 'rejected-rows', loads });
    expect([rejected.code, rejected.out]).toEqual([3, '']);
    expect(rejected.err).toBe('etl: 2 rows rejected: /r/a.csv.rejects.csv\n');
  });

  test('--force is for the planner', async () => {
    expect((await run([...load, '--force'])).options[0]).toMatchObject({ force: true });
    expect((await run(load)).options[0]).toMatchObject({ force: false });
  });

  test('--report writes the report; where it cannot, nothing is loaded', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'etl-report-'));
    const path = join(folder, 'r.json');
    await run([...load, '--report', path]);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ runId: 'run-1' });
    await rm(folder, { recursive: true });
    const { code, err, calls } = await run([...load, '--report', path]);
    expect(code).toBe(2);
    expect(err).toContain('its folder is missing or read-only');
    expect(calls).toEqual([]);
  });
});

describe('etl plan', () => {
  test('loads nothing', async () => {
    const { code, out, calls } = await run(['plan', 'a.csv', '--table', 't', '--report', 'x']);
    expect(code).toBe(0);
    expect(calls).toEqual(['start attached', 'plan', 'release']);
    expect(out).toContain('Plan 0123456789abcdef');
  });

  test('--json prints the object that run executes', async () => {
    const { out } = await run(['plan', 'a.csv', '--table', 't', '--json']);
    expect(JSON.parse(out)).toMatchObject({ version: 1, loads: [] });
  });
});

describe('errors', () => {
  test('a usage error is one line, without a stack, and needs no engine', async () => {
    const { code, out, err, calls } = await run([...load, '--tabel', 'x', '--verbose']);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toBe(
      'etl: There is no flag --tabel. Did you mean "--table"? See etl run --help. [ETL_USAGE]\n',
    );
    expect(calls).toEqual([]);
  });

  test('a bad job starts no server', async () => {
    const { code, err, calls } = await run([...load, '--concurrency', '0']);
    expect(code).toBe(2);
    expect(err).toContain('settings.concurrency (--concurrency): 0 is not allowed');
    expect(calls).toEqual([]);
  });

  test('an error of the engine has its own exit code, and the server is released', async () => {
    const locked = new EtlError('ETL_LOCKED', 'Another run loads t.', 'Wait for it.');
    const { code, err, calls } = await run(load, { planFails: locked });
    expect(code).toBe(2);
    expect(err).toBe('etl: Another run loads t. Wait for it. [ETL_LOCKED]\n');
    expect(calls.at(-1)).toBe('release');
    expect((await run(load, { runFails: locked })).calls.at(-1)).toBe('release');
  });

  test('a run that is refused before it begins leaves a report, in the place of an older one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'etl-report-'));
    const path = join(folder, 'r.json');
    const written = async (): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));
    const words = [...load, '--report', path];
    await run(words);
    const url = 'postgres://me:s3cret@db/x';
    const planFails = new EtlError('ETL_LOCKED', `No ${url}.`, 'Wait for it.', { problems: [url] });
    const { code, out } = await run([...words, '--json'], { planFails });
    expect(code).toBe(2);
    const refused = {
      ...{ version: 1, runId: null, status: 'failed', loads: [] },
      error: { code: 'ETL_LOCKED', remedy: 'Wait for it.' },
    };
    expect(await written()).toMatchObject(refused);
    expect(JSON.parse(out)).toEqual(await written());
    expect(out).not.toContain('s3cret');
    await run(words, { runFails: new EtlError('ETL_PLAN_STALE', 'It is another one.', 'Again.') });
    expect(await written()).toMatchObject({ runId: null, error: { code: 'ETL_PLAN_STALE' } });
    // A plan is none: what it prints is the plan.
    expect((await run([...load, '--dry-run', '--json'], { planFails })).out).toBe('');
    await rm(folder, { recursive: true });
  });

  test('so does one that is interrupted before it begins', async () => {
    const engine = scripted({ planFails: new Error('socket closed') });
    const { world, out, interrupt } = worldOf();
    interrupt.abort();
    expect(await main([...load, '--json'], world, engine.engine)).toBe(130);
    expect(JSON.parse(out())).toMatchObject({
      ...{ runId: null, status: 'interrupted' },
      error: { code: 'ETL_ABORTED' },
    });
  });

  test('what is not ours is one line; the stack comes with --verbose', async () => {
    const planFails = new TypeError('x is undefined');
    const plain = await run(load, { planFails });
    expect(plain.code).toBe(1);
    expect(plain.err.split('\n')).toHaveLength(2);
    const verbose = await run([...load, '--verbose'], { planFails });
    expect(verbose.err).toMatch(/\n\s+at /);
  });

  test('no password and no control character reaches the terminal', async () => {
    const planFails = new Error('cannot reach postgres://me:s3cret@db/x\u001b]0;title\u0007');
    const { err } = await run([...load, '--verbose'], { planFails });
    expect(err).not.toContain('s3cret');
    expect(err).not.toContain('\u001b');
    expect(err).toContain('postgres://me:***@db/x');
  });
});

describe('interrupt', () => {
  const again = 'To load the rest, run the same command again:\n';

  test('prints the command that resumes', async () => {
    const argv = [...load, '--columns', "it's=x", '--database-url', 'postgres://u:s3cret@h/d'];
    const { code, err } = await run(argv, { status: 'interrupted' });
    expect(code).toBe(130);
    expect(err).toContain(
      `${again}  etl run a.csv --table t --columns 'it'\\''s=x' --database-url 'postgres://u:***@h/d'\n`,
    );
  });

  test('what breaks after Ctrl-C is an interrupt, too', async () => {
    const engine = scripted({ runFails: new Error('socket closed') });
    const { world, err, interrupt } = worldOf();
    interrupt.abort();
    expect(await main(load, world, engine.engine)).toBe(130);
    expect(err()).toContain(again);
    expect(err()).not.toContain('socket closed');
  });
});

describe('etl db', () => {
  test('start leaves a standing server', async () => {
    const { code, out, calls } = await run(['db', 'start'], { running: false });
    expect(code).toBe(0);
    expect(calls[0]).toBe('start standing');
    expect(out).toContain('is started (process 7)');
    expect(out).toContain('postgres:///etl?host=/run/x');
  });

  test('stop says whether there was one', async () => {
    expect((await run(['db', 'stop'])).out).toContain('Stopped');
    expect((await run(['db', 'stop'], { running: false })).out).toContain('was not running');
  });

  test('status answers scripts by its exit code', async () => {
    const running = await run(['db', 'status'], {}, { ETL_EMBEDDED_DIR: '/data/pg' });
    expect(running.code).toBe(0);
    expect(running.out).toContain('/data/pg/data (3.0 MB)');
    const stopped = await run(['db', 'status'], { running: false });
    expect(stopped.code).toBe(1);
    expect(stopped.out).not.toContain('postgres://');
  });

  test('url prints the address alone, or says how to get one', async () => {
    expect((await run(['db', 'url'])).out).toBe('postgres:///etl?host=/run/x\n');
    const stopped = await run(['db', 'url'], { running: false });
    expect(stopped.code).toBe(2);
    expect(stopped.out).toBe('');
    expect(stopped.err).toContain('etl db start');
  });
});
