import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { blameOf } from '../../../src/serve/blame.ts';
import { asTold } from '../../../src/serve/client-names.ts';
import { shownName } from '../../../src/serve/receive-upload.ts';
import { statusOf } from '../../../src/serve/refusal.ts';
import { chooseToken, createTokenCheck, isLoopback } from '../../../src/serve/token.ts';
import { uploadQuery } from '../../../src/serve/upload-query.ts';

describe('the token', () => {
  const secret = 'a-secret-of-many-characters';

  test('is asked for as a bearer, whole', () => {
    const isAllowed = createTokenCheck(secret);
    expect(isAllowed(`Bearer ${secret}`)).toBe(true);
    expect(isAllowed(`bearer  ${secret} `)).toBe(true);
    const wrong = [undefined, '', 'Bearer', secret, `Basic ${secret}`, `Bearer ${secret}x`];
    for (const header of [...wrong, `Bearer ${secret.slice(1)}`, `Bearer ${secret} ${secret}`]) {
      expect(isAllowed(header)).toBe(false);
    }
  });

  test('is that of the file, else that of the environment, else a new one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'etl-token-'));
    const file = join(folder, 'token');
    await writeFile(file, `${secret}\n`);
    expect(await chooseToken(file, { ETL_SERVE_TOKEN: 'x' })).toEqual({ secret, made: false });
    expect(await chooseToken(null, { ETL_SERVE_TOKEN: secret })).toEqual({ secret, made: false });
    const [one, other] = [await chooseToken(null, {}), await chooseToken(null, {})];
    expect(one.made && one.secret.length >= 40 && one.secret !== other.secret).toBe(true);
    for (const text of ['', 'short', 'with spaces in the middle of it', 'é'.repeat(20)]) {
      await writeFile(file, text);
      await expect(chooseToken(file, {})).rejects.toThrow('ETL_USAGE');
    }
    await expect(chooseToken(join(folder, 'none'), {})).rejects.toThrow('ENOENT');
    await rm(folder, { recursive: true });
  });

  test('must be given where others can reach the address', () => {
    const local = ['127.0.0.1', '127.9.9.9', '::1', 'localhost'];
    expect(local.map(isLoopback)).toEqual([true, true, true, true]);
    const far = ['0.0.0.0', '::', '10.0.0.1', 'localhost.example', '127.0.0.1.example', ''];
    expect(far.map(isLoopback)).toEqual(far.map(() => false));
  });
});

describe('the parameters of an upload', () => {
  test('are known, single, and of their form', () => {
    const plain = { waitSeconds: 30, name: null, alone: false };
    expect(uploadQuery({}, 'rows')).toEqual(plain);
    expect(uploadQuery({ wait: '0', name: 'a.csv', alone: '' }, 'files')).toEqual({
      ...{ waitSeconds: 0, name: 'a.csv', alone: true },
    });
    const wrong = [
      { wait: '-1' },
      { wait: '601' },
      { wait: '1e2' },
      { alone: 'yes' },
      { wiat: '1' },
    ];
    for (const query of [...wrong, { wait: ['1', '2'] }, { name: 'x' }]) {
      expect(() => uploadQuery(query, 'rows')).toThrow('ETL_USAGE');
    }
    expect(() => uploadQuery({ wiat: '1' }, 'rows')).toThrow('Did you mean "wait"?');
  });
});

test('the name of a file is its last step, and obeys nothing', () => {
  expect(shownName('../../etc/passwd')).toBe('passwd');
  expect(shownName('C:\\data\\a.csv')).toBe('a.csv');
  expect(shownName('a\u001b[31m\u202e.csv')).toBe('a_[31m_.csv');
  expect(shownName('/')).toBe('_');
  expect(shownName('x'.repeat(500))).toHaveLength(200);
});

test('an error is told in the client’s names', () => {
  const files = [{ base: '2026-1.csv', name: 'orders.csv' }];
  const facts = { file: '2026-1.csv', line: 3, problems: ['/spool/files/2026-1.csv: bad'] };
  const error = new EtlError('ETL_ROW_INVALID', '2026-1.csv is bad.', 'Mend 2026-1.csv.', facts);
  expect(asTold(error.record, files, '/spool/files')).toEqual({
    code: 'ETL_ROW_INVALID',
    sentence: 'orders.csv is bad.',
    remedy: 'Mend orders.csv.',
    facts: { file: 'orders.csv', line: 3, problems: ['orders.csv: bad'] },
  });
});

test('an error is laid to the moment, the job, or a file', () => {
  const of = (code: ConstructorParameters<typeof EtlError>[0], facts = {}) =>
    blameOf(new EtlError(code, '', '', facts).record);
  expect(of('ETL_CONNECTION')).toBe('moment');
  expect(of('ETL_LOCKED')).toBe('moment');
  expect(of('ETL_SERVER', { sqlState: '53100' })).toBe('moment');
  expect(of('ETL_SERVER', { sqlState: '40P01' })).toBe('moment');
  expect(of('ETL_SERVER', { sqlState: 'XX000' })).toBe('file');
  expect(of('ETL_PRIVILEGE', { sqlState: '42501' })).toBe('job');
  expect(of('ETL_ROW_INVALID', { sqlState: '22P02' })).toBe('file');
  expect(of('ETL_INTERNAL')).toBe('file');
});

test('the status of an error says whose fault it is', () => {
  const codes = ['ETL_ROW_INVALID', 'ETL_CONNECTION', 'ETL_LOCKED', 'ETL_PRIVILEGE'] as const;
  expect(codes.map((code) => statusOf({ code }))).toEqual([422, 503, 409, 500]);
});
