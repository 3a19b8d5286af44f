import { describe, expect, test } from 'vitest';
import { settingsSchema, type Settings } from '../../../src/job/schema.ts';
import {
  chooseSession,
  fixedSession,
  flushingSession,
  sessionSettings,
  valuesOf,
  type SessionFacts,
} from '../../../src/target/session.ts';

const MB = 1024 * 1024;
const GB = 1024 * MB;

/** A server as it comes, elsewhere. */
const PLAIN: SessionFacts = {
  server: {
    sharedBuffersBytes: 128 * MB,
    workMemBytes: 4 * MB,
    maintenanceWorkMemBytes: 64 * MB,
    tempBuffersBytes: 8 * MB,
    parallelMaintenanceWorkers: 2,
    synchronousCommit: 'on',
  },
  memoryBytes: null,
  concurrency: 2,
};

function settings(session: Settings['session'] = {}): Settings {
  return settingsSchema.parse({ session });
}

function chosen(facts: Partial<SessionFacts>, session: Settings['session'] = {}) {
  const all = chooseSession(settings(session), { ...PLAIN, ...facts });
  return new Map(all.map((setting) => [setting.name, setting]));
}

describe('work_mem', () => {
  test.each([
    ['shared_buffers over the workers', { concurrency: 2 }, '64MB'],
    ['one worker', { concurrency: 1 }, '128MB'],
    ['not below the floor', { concurrency: 64 }, '16MB'],
    ['an eighth of a known memory', { memoryBytes: 4 * GB, concurrency: 8 }, '64MB'],
    ['not above the ceiling', { memoryBytes: 1024 * GB, concurrency: 2 }, '256MB'],
    ['a small machine', { memoryBytes: 512 * MB, concurrency: 2 }, '32MB'],
    ['an odd share is rounded down', { memoryBytes: 8 * GB, concurrency: 7 }, '146MB'],
  ])('%s', (_, facts, value) => {
    expect(chosen(facts).get('work_mem')).toMatchObject({ value, from: 'engine' });
  });

  test('says where it comes from', () => {
    expect(chosen({}).get('work_mem')?.why).toBe(
      'shared_buffers of 128MB over 2 workers, from 16MB to 256MB',
    );
    expect(chosen({ memoryBytes: 24.5 * GB, concurrency: 1 }).get('work_mem')?.why).toBe(
      "an eighth of the machine's 24GB over 1 worker, from 16MB to 256MB",
    );
  });

  test('is left to a server that has more', () => {
    const server = { ...PLAIN.server, workMemBytes: 512 * MB };
    expect(chosen({ server }).get('work_mem')).toMatchObject({ value: '512MB', from: 'server' });
  });
});

test('maintenance_work_mem is enough for a sort, within what a small machine has', () => {
  const of = (facts: Partial<SessionFacts>) => chosen(facts).get('maintenance_work_mem');
  expect(of({})).toMatchObject({ value: '128MB', from: 'engine' });
  expect(of({ memoryBytes: 64 * GB })).toMatchObject({ value: '256MB', from: 'engine' });
  expect(of({ memoryBytes: GB / 4 })).toMatchObject({ value: '128MB', from: 'engine' });
  const server = { ...PLAIN.server, maintenanceWorkMemBytes: 2 * GB };
  expect(of({ server })).toMatchObject({ value: '2GB', from: 'server' });
});

describe('what the job says', () => {
  test('wins, in the place of what was chosen, and others follow', () => {
    const session = {
      temp_buffers: '64MB',
      work_mem: '7MB',
      jit: true,
      effective_io_concurrency: 8,
    };
    const all = chooseSession(settings(session), PLAIN);
    expect(all.map(({ name, value, from }) => `${name}=${value} ${from}`)).toEqual([
      'work_mem=7MB job',
      'maintenance_work_mem=128MB engine',
      'temp_buffers=64MB job',
      'max_parallel_maintenance_workers=2 server',
      'synchronous_commit=on server',
      'jit=on job',
      'effective_io_concurrency=8 job',
    ]);
    expect(valuesOf(all)).toEqual({
      work_mem: '7MB',
      maintenance_work_mem: '128MB',
      temp_buffers: '64MB',
      jit: 'on',
      effective_io_concurrency: '8',
    });
  });

  test('is set for sessions for which nothing is chosen, too, so that a wrong value shows early', () => {
    expect(sessionSettings(settings({ work_mem: '7MB' }))).toEqual({
      ...fixedSession(settings()),
      jit: 'off',
      work_mem: '7MB',
    });
  });
});

describe('the session that ends a run', () => {
  test.each(['off', 'OFF', false, '0', 'no'])('flushes where synchronous_commit is %s', (value) => {
    const all = chooseSession(settings({ synchronous_commit: value }), PLAIN);
    expect(valuesOf(all)['synchronous_commit']).toMatch(/^(?:off|0|no)$/i);
    expect(flushingSession(all)['synchronous_commit']).toBe('local');
  });

  test('flushes where the server says off', () => {
    const server = { ...PLAIN.server, synchronousCommit: 'off' };
    const all = chooseSession(settings(), { ...PLAIN, server });
    expect(valuesOf(all)).not.toHaveProperty('synchronous_commit');
    expect(flushingSession(all)['synchronous_commit']).toBe('local');
  });

  test.each(['on', 'remote_apply'])('leaves %s as it is', (synchronousCommit) => {
    const server = { ...PLAIN.server, synchronousCommit };
    const all = chooseSession(settings(), { ...PLAIN, server });
    expect(flushingSession(all)).toEqual(valuesOf(all));
  });
});
