import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectionParameters } from '../../../src/job/connection-parameters.ts';

let folder: string;
let env: Record<string, string>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parameters-'));
  const text =
    '[prod]\nhost=db.example\nport=6432\ndbname=shop\nuser=loader\npassword=s3cr3t\nsslmode=verify-full\n';
  writeFileSync(join(folder, 'service.conf'), text);
  writeFileSync(join(folder, 'address.conf'), '[prod]\nhostaddr=10.0.0.7\n');
  env = { PGSERVICEFILE: join(folder, 'service.conf') };
});
afterAll(() => rmSync(folder, { recursive: true }));

const SERVICE = { host: 'db.example', port: '6432', database: 'shop', user: 'loader' };

describe('what a service says', () => {
  test.each(['PGSERVICE', 'service of the URL'])('counts by %s', (way) => {
    const { ofUrl, password, tls } =
      way === 'PGSERVICE'
        ? connectionParameters('postgres://', { ...env, PGSERVICE: 'prod' })
        : connectionParameters('postgres:///?service=prod', env);
    expect(ofUrl).toMatchObject(SERVICE);
    expect(password).toBe('s3cr3t');
    expect(tls.mode).toBe('verify-full');
  });

  test('yields to the URL and wins over the variables', () => {
    const variables = { PGHOST: 'other', PGUSER: 'nobody', PGPASSWORD: 'x', PGSSLMODE: 'disable' };
    const given = { ...env, ...variables, PGSERVICE: 'prod' };
    const url = 'postgres://me@near.example/app?sslmode=require';
    const { ofUrl, password, tls } = connectionParameters(url, given);
    expect(ofUrl).toMatchObject({
      host: 'near.example',
      port: '6432',
      database: 'app',
      user: 'me',
    });
    expect(password).toBe('s3cr3t');
    expect(tls.mode).toBe('require');
    expect(connectionParameters(null, given)).toMatchObject({
      ofUrl: SERVICE,
      tls: { mode: 'verify-full' },
    });
  });

  test('is asked for only where it is named', () => {
    const missing = { PGSERVICEFILE: join(folder, 'missing.conf') };
    expect(connectionParameters('postgres://db/app', missing).ofUrl).toMatchObject({ host: 'db' });
    expect(() =>
      connectionParameters('postgres://db/app', { ...missing, PGSERVICE: 'prod' }),
    ).toThrow('No service file has a service "prod".');
  });
});

test('an address stands for a host that is not named', () => {
  const address = { PGSERVICEFILE: join(folder, 'address.conf'), PGSERVICE: 'prod' };
  expect(connectionParameters(null, address).ofUrl).toMatchObject({ host: '10.0.0.7' });
  const variable = { PGHOSTADDR: '10.0.0.8' };
  expect(connectionParameters(null, variable)).toMatchObject({
    ofUrl: { host: '10.0.0.8' },
    tls: { mode: 'prefer' },
  });
  expect(connectionParameters(null, { ...variable, PGHOST: 'db' }).ofUrl).toMatchObject({
    host: 'db',
  });
});

test('the user is at last the one of the process, whatever USER says', () => {
  const { username } = userInfo();
  expect(connectionParameters('postgres://db/app', { USER: 'x' }).ofUrl).toMatchObject({
    user: username,
  });
  expect(connectionParameters('postgres://db', { PGUSER: 'me' }).ofUrl).toMatchObject({
    user: 'me',
  });
});
