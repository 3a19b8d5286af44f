import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { libpqEnvironment } from '../../../benchmarks/peers/libpq-environment.ts';
import {
  childrenCpuMs,
  runMeasured,
  runPeerCommand,
} from '../../../benchmarks/peers/measured-command.ts';
import { mergeSql, onConflict } from '../../../benchmarks/peers/merge-sql.ts';

const databaseUrl = 'postgres://nobody@localhost/none';

describe('libpqEnvironment', () => {
  test('spells a URL as variables, and leaves open what the URL leaves open', () => {
    expect(libpqEnvironment('postgresql://')).toEqual({});
    expect(libpqEnvironment('postgres://me@/etl?host=/run/pg&sslmode=disable')).toEqual({
      PGUSER: 'me',
      PGDATABASE: 'etl',
      PGHOST: '/run/pg',
      PGSSLMODE: 'disable',
    });
    expect(libpqEnvironment('postgres://[::1]:5433')).toEqual({ PGHOST: '::1', PGPORT: '5433' });
  });

  test('decodes every part', () => {
    const text = fc.string({ minLength: 1, unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, (user, password, database) => {
        const [a, b, c] = [user, password, database].map(encodeURIComponent);
        expect(libpqEnvironment(`postgres://${a}:${b}@db.example:5432/${c}`)).toEqual({
          PGUSER: user,
          PGPASSWORD: password,
          PGHOST: 'db.example',
          PGPORT: '5432',
          PGDATABASE: database,
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe('a measured command', () => {
  test('reads what shells write for times', () => {
    expect(childrenCpuMs('0m0.01s 0m0.00s\n1m2.500s 0m0.250s\n')).toBe(62_750);
    expect(childrenCpuMs('0m0.010000s 0m0.000000s\n0m0.020000s 0m0.030000s')).toBe(50);
    expect(childrenCpuMs('')).toBeNull();
  });

  test('counts the CPU of what the command starts, and keeps its words whole', async () => {
    const work = 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; printf "%s|" "$@"; exit 7';
    const end = await runMeasured(['sh', '-c', `(${work})`, 'sh', 'a b', "it's", '$x'], {
      databaseUrl,
    });
    expect(end).toMatchObject({ exitCode: 7, output: "a b|it's|$x|" });
    expect(end.usage.clientCpuMs).toBeGreaterThan(0);
  });

  test('shows the database to the command by its environment only', async () => {
    const secret = 'postgres://me:secret@db.example/shop';
    const { output } = await runMeasured(
      ['sh', '-c', 'echo "$PGUSER $PGPASSWORD $PGHOST $PGDATABASE; $*"', 'sh', 'word'],
      { databaseUrl: secret },
    );
    expect(output).toBe('me secret db.example shop; word\n');
  });

  test('says what the command said last when it fails', async () => {
    const words = ['sh', '-c', 'echo "psql:load.sql:3: ERROR:  deadlock detected" >&2; exit 3'];
    await expect(runPeerCommand('psql xargs -P', words, { databaseUrl })).rejects.toMatchObject({
      record: {
        code: 'ETL_PEER',
        sentence:
          'psql xargs -P ended with exit code 3: psql:load.sql:3: ERROR:  deadlock detected',
      },
    });
    await expect(runPeerCommand('gone', ['/no/such'], { databaseUrl })).rejects.toMatchObject({
      code: 'ETL_PEER',
    });
  });

  test('ends with all that it started when it is aborted', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => abort.abort(reason), 200);
    // The pipes close only when the inner sleep is gone too; it would keep them for ten minutes.
    const words = ['sh', '-c', 'sleep 600 & wait'];
    const signal = abort.signal;
    await expect(runPeerCommand('slow', words, { databaseUrl, signal })).rejects.toBe(reason);
    await expect(runPeerCommand('late', words, { databaseUrl, signal })).rejects.toBe(reason);
  });

  test('is stopped, with all that it started, when it takes too long', async () => {
    const words = ['sh', '-c', 'sleep 600 & wait'];
    const job = { databaseUrl, secondsMax: 0.2 };
    await expect(runPeerCommand('pgloader', words, job)).rejects.toMatchObject({
      record: { code: 'ETL_PEER', sentence: 'pgloader was stopped after 0.2 seconds' },
    });
  });
});

test('the merge quotes names, and has nothing to set where all columns are the key', () => {
  const columns = [
    { name: 'id', sqlType: 'int' },
    { name: 'odd "name"', sqlType: 'text' },
  ];
  expect(mergeSql({ table: 'app.t', columns, key: ['id'] }, 'stage', 'line')).toBe(
    'insert into app.t ("id", "odd ""name""") ' +
      'select distinct on ("id") "id", "odd ""name""" from stage order by "id", line desc ' +
      'on conflict ("id") do update set "odd ""name""" = excluded."odd ""name"""',
  );
  expect(onConflict({ columns, key: ['id', 'odd "name"'] })).toBe(
    'on conflict ("id", "odd ""name""") do nothing',
  );
});
