import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startCli } from '../support/cli-process.ts';
import { expectNoLeaks } from '../support/database.ts';
import { statusesOf, useScene } from '../support/scene.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

/**
 * The run is killed with a COMMIT on its way, and the server, which has not heard of that, obeys it
 * when nobody expects it any more: the network, a slow disk or a standby has held it up.
 */
const scene = useScene((table) => `create table ${table} (id int, name text)`);
const WORDS = ['f0.csv', '--on-conflict', 'append'];

/** Kills a run while it commits. The server commits for it once `release` is called. */
async function killedInCommit(): Promise<{ readonly release: () => Promise<void> }> {
  const { db, table, folder } = scene;
  let letCommit: () => void = () => undefined;
  const late = new Promise<void>((resolve) => (letCommit = resolve));
  let [copied, killed] = [false, false];
  const proxy = await openTcpProxy(db.url, {
    late,
    fateOf: (statement) => {
      copied ||= statement === 'copy done';
      if (killed || !copied || statement !== 'commit') return 'pass';
      killed = run.kill('SIGKILL');
      return 'cut-during';
    },
  });
  const words = ['run', ...WORDS, '--table', table, '--database-url', proxy.url];
  const run = startCli(words, { cwd: folder });
  const { signal, stdout, stderr } = await run.end;
  expect(signal, stdout + stderr).toBe('SIGKILL');
  return {
    release: async () => {
      letCommit();
      await expectNoLeaks(db.url);
      await proxy.close();
    },
  };
}

test('a commit that outlives its run is waited for, so no row is doubled', async () => {
  await scene.write({ 'f0.csv': 'id,name\n1,a\n2,b\n' });
  const { release } = await killedInCommit();
  const running = scene.run(WORDS);
  // A run that does not wait has ended by then.
  const first = await Promise.race([running.then(() => 'the run'), sleep(2_000, 'the wait')]);
  const [next] = await Promise.all([running, release()]);
  expect(first, next.stdout + next.stderr).toBe('the wait');
  expect(next.error?.code).toBe('ETL_PLAN_STALE');
  expect(await scene.db.query(`select id, name from ${scene.table} order by id`)).toEqual([
    { id: 1, name: 'a' },
    { id: 2, name: 'b' },
  ]);
  const third = await scene.run(WORDS);
  expect([third.code, statusesOf(third.report)]).toEqual([0, ['skipped']]);
});
