import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { embeddedStatus, startEmbedded, stopEmbedded } from '../../src/embedded/embedded.ts';
import {
  type Owner,
  expectNothingRuns,
  fillHome,
  freshHome,
  processesNaming,
  queryOnce,
  removeHome,
  startOwner,
} from '../support/embedded-process.ts';

const settings = { fsync: 'off', shared_buffers: '16MB' };

/** nobody; on Linux, where the tests may run as root. */
const NOBODY = 65534;

let home: string;
let owners: Owner[];
beforeEach(() => {
  home = freshHome();
  owners = [];
});
afterEach(async () => {
  for (const owner of owners) owner.process.kill('SIGKILL');
  await Promise.all(owners.map((owner) => owner.ended()));
  await removeHome(home);
});

function own(mode: 'attached' | 'standing', more: { ignoreSigint?: boolean } = {}): Owner {
  const owner = startOwner({ home, mode, settings, ...more });
  owners.push(owner);
  return owner;
}

describe('attached, for the first time', () => {
  test('three processes that start at the same moment on a new home share one server', async () => {
    const three = [own('attached'), own('attached'), own('attached')];
    const servers = await Promise.all(three.map((owner) => owner.server()));
    expect(new Set(servers.map((server) => server.pid)).size).toBe(1);
    expect(servers.filter((server) => server.startedHere)).toHaveLength(1);

    three[0]?.say('release');
    expect(await three[0]?.line()).toBe('released');
    three[1]?.process.kill('SIGKILL');
    await three[1]?.ended();
    expect((await embeddedStatus(home)).pid).toBe(servers[0]?.pid);
    three[2]?.say('release');
    expect(await three[2]?.line()).toBe('released');
    expect((await embeddedStatus(home)).state).toBe('stopped');
  });

  test.for(['watchdog', 'initdb', '--single'])(
    'an owner killed at the first sight of %s leaves nothing',
    killedAtTheSightOf,
  );
});

describe('attached', () => {
  beforeEach(() => fillHome(home));

  test.for(['pg_ctl', 'postgres -D'])(
    'an owner killed at the first sight of %s leaves nothing',
    killedAtTheSightOf,
  );

  test.for(['SIGKILL', 'SIGTERM', 'exit'] as const)(
    'the server ends with an owner that ends by %s',
    async (how) => {
      const owner = own('attached');
      const { url } = await owner.server();
      await queryOnce(url, 'select 1');
      if (how === 'exit') owner.say('exit');
      else owner.process.kill(how);
      await owner.ended();
      await expectNothingRuns(home);
    },
  );

  test('Ctrl-C reaches the owner, and the server lives until the owner releases it', async () => {
    const owner = own('attached', { ignoreSigint: true });
    const { url, pid } = await owner.server();
    // What the terminal does: the signal goes to the whole process group.
    process.kill(-(owner.process.pid ?? 0), 'SIGINT');
    expect(await owner.line()).toBe('interrupted');
    expect(await queryOnce(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect((await embeddedStatus(home)).pid).toBe(pid);
    owner.say('release');
    expect(await owner.line()).toBe('released');
    await expectNothingRuns(home);
  });

  test('a watchdog that is killed is replaced, and the server still ends with its owner', async () => {
    const owner = own('attached');
    const { pid } = await owner.server();
    const before = watchdogs();
    expect(before).toHaveLength(1);
    process.kill(before[0] ?? 0, 'SIGKILL');
    let after = watchdogs();
    while (after.length === 0 || after[0] === before[0]) {
      await sleep(20);
      after = watchdogs();
    }
    expect((await embeddedStatus(home)).pid).toBe(pid);
    owner.process.kill('SIGKILL');
    await owner.ended();
    await expectNothingRuns(home);
  });

  test('a watchdog that is told to end (the system goes down) ends the server in order', async () => {
    const owner = own('attached');
    const { url } = await owner.server();
    await queryOnce(url, 'create table kept as select 7 as n');
    process.kill(watchdogs()[0] ?? 0, 'SIGTERM');
    await expectNothingRuns(home);
    owner.say('release');
    expect(await owner.line()).toBe('released');
    const next = await startEmbedded({ home, mode: 'attached', settings });
    expect(await queryOnce(next.url, 'select n from kept')).toEqual([{ n: 7 }]);
    const log = await readFile(join(home, 'postgres.log'), 'utf8');
    expect(log).toContain('received fast shutdown request');
    expect(log).not.toContain('not properly shut down');
    await next.release();
  });

  test('a server whose owner and watchdog were both killed is taken over by the next', async () => {
    const owner = own('attached');
    const { pid } = await owner.server();
    process.kill(owner.process.pid ?? 0, 'SIGSTOP');
    process.kill(watchdogs()[0] ?? 0, 'SIGKILL');
    owner.process.kill('SIGKILL');
    await owner.ended();
    expect((await embeddedStatus(home)).pid).toBe(pid);
    const next = await startEmbedded({ home, mode: 'attached', settings });
    expect(next).toMatchObject({ pid, startedHere: false });
    await next.release();
    await expectNothingRuns(home);
  });
});

describe('standing', () => {
  beforeEach(() => fillHome(home));

  test('survives its starter and its users, and is ended by stopEmbedded', async () => {
    const starter = own('standing');
    const { pid, url } = await starter.server();
    starter.process.kill('SIGKILL');
    await starter.ended();

    const user = await startEmbedded({ home, mode: 'attached', settings });
    expect(user).toMatchObject({ pid, url, startedHere: false });
    await user.release();
    expect(await queryOnce(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await embeddedStatus(home)).toMatchObject({ state: 'running', standing: true, pid });
    expect(watchdogs()).toEqual([]);

    expect(await stopEmbedded(home)).toBe(true);
    expect(await embeddedStatus(home)).toMatchObject({ state: 'stopped', standing: false });
    expect(await stopEmbedded(home)).toBe(false);
  });

  test('a server in use can be told to stand, and be stopped under its users', async () => {
    const user = own('attached');
    const { pid } = await user.server();
    expect(await startEmbedded({ home, mode: 'standing' })).toMatchObject({ pid });
    user.process.kill('SIGKILL');
    await user.ended();
    expect(await embeddedStatus(home)).toMatchObject({ state: 'running', standing: true, pid });

    const other = await startEmbedded({ home, mode: 'attached', settings });
    await stopEmbedded(home);
    await other.release();
    await expectNothingRuns(home);

    // Standing is a quality of that server, not of the home.
    const again = await startEmbedded({ home, mode: 'attached', settings });
    await again.release();
    expect(await embeddedStatus(home)).toMatchObject({ state: 'stopped' });
  });
});

// Root's server runs as nobody, another user's as that user: both ways are walked where possible.
test('a user without rights runs a server of their own', async () => {
  const uid = process.getuid?.() === 0 ? NOBODY : undefined;
  const owner = startOwner({ home, mode: 'attached', settings, temporary: true }, uid);
  owners.push(owner);
  const { url } = await owner.server();
  expect(await queryOnce(url, 'select current_database() as db')).toEqual([{ db: 'etl' }]);
  owner.say('release');
  expect(await owner.line()).toBe('released');
});

async function killedAtTheSightOf(step: string): Promise<void> {
  const owner = own('attached');
  let started = false as boolean;
  const over = owner.server().then(
    () => (started = true),
    () => undefined,
  );
  const seen = (): boolean => processesNaming(home).some((one) => one.command.includes(step));
  while (!started && !seen()) await sleep(2);
  owner.process.kill('SIGKILL');
  await over;
  await owner.ended();
  await expectNothingRuns(home);
}

/** Process ids of the watchdogs of this home. */
function watchdogs(): number[] {
  return processesNaming(home)
    .filter((found) => found.command.includes('watchdog'))
    .map((found) => found.pid);
}
