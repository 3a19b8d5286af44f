import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  connectionsCheck,
  poolerCheck,
  preparedCheck,
  primaryCheck,
  replicationCheck,
  tlsCheck,
  versionCheck,
} from '../../../src/check/doctor/server-checks.ts';
import { ledgerPrivilegeCheck } from '../../../src/check/doctor/privilege-checks.ts';
import { diskCheck, embeddedCheck, memoryCheck } from '../../../src/check/doctor/room-checks.ts';
import type { EmbeddedStatus } from '../../../src/embedded/embedded.ts';
import type { ServerInfo } from '../../../src/target/table.ts';

/** Verdicts on facts that no test server can be brought to; the others are in test/integration. */
const GB = 1024 ** 3;

test('versions outside of those that are tested fail', () => {
  const state = (versionNumber: number): string =>
    versionCheck({ version: String(versionNumber), versionNumber }, { min: 14, max: 18 }).state;
  expect([130_022, 140_000, 180_004, 190_000].map(state)).toEqual(['fail', 'pass', 'pass', 'fail']);
  expect(primaryCheck({ inRecovery: true }).state).toBe('fail');
});

describe('connections', () => {
  const server = { maxConnections: 20, connectionsUsed: 4 } as ServerInfo;
  const limits = {
    ...{ reserved: 0, superuser_reserved: 3, superuser: false },
    ...{ role_limit: -1, role_used: 1, database_limit: -1, database_used: 1 },
  };

  test('are those that are neither reserved nor in use', () => {
    const state = (concurrency: number): string =>
      connectionsCheck(server, limits, concurrency).state;
    expect([8, 9, 12, 13].map(state)).toEqual(['pass', 'warn', 'warn', 'fail']);
    expect(connectionsCheck(server, { ...limits, superuser: true }, 11).state).toBe('pass');
  });

  test('are no more than the database allows', () => {
    const few = { ...limits, database_limit: 6, database_used: 2 };
    expect(connectionsCheck(server, few, 8)).toMatchObject({
      state: 'fail',
      sentence: expect.stringContaining('the limit of the database leaves 4') as string,
    });
  });
});

test('a line that is not encrypted is a warning, but on one machine', () => {
  expect(tlsCheck({ ssl: true, version: 'TLSv1.3', cipher: 'X' })).toMatchObject({
    state: 'pass',
    sentence: 'TLSv1.3, X',
  });
  expect(tlsCheck({ ssl: false, same_machine: true }).state).toBe('pass');
  expect(tlsCheck({ ssl: false, same_machine: false }).state).toBe('warn');
});

test('standbys that are far behind, and slots that nobody reads, are warnings', () => {
  const standby = { kind: 'standby', name: 's', active: true, lag_seconds: 1, behind_bytes: 1e6 };
  const slot = { kind: 'slot', name: 'w', active: false, lag_seconds: null, behind_bytes: 1e6 };
  const state = (...rows: object[]): string => replicationCheck(rows as never).state;
  expect(state()).toBe('skip');
  expect(state(standby, slot)).toBe('pass');
  expect(state({ ...standby, lag_seconds: 61 })).toBe('warn');
  expect(state({ ...standby, behind_bytes: 2e9 })).toBe('warn');
  expect(state(standby, { ...slot, behind_bytes: 2e9 })).toBe('warn');
  expect(state({ ...standby, lag_seconds: null, behind_bytes: null })).toBe('pass');
});

test('prepared transactions matter to partitioned loads only', () => {
  expect(preparedCheck(0, 0).state).toBe('skip');
  expect(preparedCheck(4, 4).state).toBe('pass');
  expect(preparedCheck(3, 4).state).toBe('warn');
  expect([true, false, null].map((changes) => poolerCheck(changes).state)).toEqual([
    ...['fail', 'pass', 'skip'],
  ]);
});

test('memory is held against that of the machine, or else against shared_buffers', () => {
  const facts = { workMemBytes: GB, sharedBuffersBytes: GB, concurrency: 4 };
  const state = (machineBytes: number | null, sharedBuffersBytes = GB): string =>
    memoryCheck({ ...facts, machineBytes, sharedBuffersBytes }).state;
  expect([16 * GB, 8 * GB, 4 * GB].map((bytes) => state(bytes))).toEqual(['pass', 'warn', 'fail']);
  expect([state(null, 2 * GB), state(null, GB)]).toEqual(['pass', 'warn']);
});

test('the disk holds the rows of the load, and its copies', () => {
  const state = (free: number | null, rows: number | null): string => diskCheck(free, rows).state;
  expect([state(null, 1), state(4e9, 1e9), state(2e9, 1e9), state(9e8, 1e9)]).toEqual([
    ...['skip', 'pass', 'warn', 'fail'],
  ]);
  expect([state(2e9, null), state(1e8, null)]).toEqual(['pass', 'warn']);
});

test('an embedded server in a folder for temporary files is a warning', () => {
  const status: Omit<EmbeddedStatus, 'home'> = {
    state: 'running',
    ...{ dataDir: '/x/data', logPath: '/x/log', url: 'postgres:///' },
    ...{ pid: 1, startedAt: null, standing: true, version: '18.4', bytes: 1e6 },
  };
  expect(embeddedCheck(null).state).toBe('skip');
  expect(embeddedCheck({ ...status, home: '/var/lib/etl' }).state).toBe('pass');
  expect(embeddedCheck({ ...status, home: join(tmpdir(), 'etl') }).state).toBe('warn');
});

test('the ledger is to be made, used and extended', () => {
  const row = {
    ...{ role: 'r', database: 'd', create_schemas: false, temporary: true },
    ...{ ledger_schema: true, ledger_usage: true, ledger_create: true },
    ...{ ledger_tables: 2, ledger_writable: true },
  };
  const state = (change: object): string =>
    ledgerPrivilegeCheck({ ...row, ...change }, 'etl').state;
  expect(state({})).toBe('pass');
  expect(state({ ledger_schema: false })).toBe('fail');
  expect(state({ ledger_schema: false, create_schemas: true })).toBe('pass');
  expect(state({ ledger_usage: false })).toBe('fail');
  expect(state({ ledger_writable: false })).toBe('fail');
  expect(state({ ledger_create: false })).toBe('warn');
  expect(state({ ledger_create: false, ledger_tables: 0 })).toBe('fail');
});
