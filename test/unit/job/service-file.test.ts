import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { serviceParameters } from '../../../src/job/service-file.ts';

let folder: string;
let env: { PGSERVICEFILE: string; PGSYSCONFDIR: string };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgservice-'));
  env = { PGSERVICEFILE: join(folder, 'mine.conf'), PGSYSCONFDIR: folder };
  const mine = [
    '# the nightly load',
    '[prod]',
    'host = db.example',
    'port=6432',
    'dbname=shop',
    'host=another.example',
    'options=-c search_path=app',
    '',
    '[empty]',
    '[prod]',
    'host=late.example',
  ];
  writeFileSync(env.PGSERVICEFILE, mine.join('\r\n'));
  const ours = '[prod]\nhost=ours.example\n[ours]\nhost=/run/postgresql\n';
  writeFileSync(join(folder, 'pg_service.conf'), ours);
});
afterAll(() => rmSync(folder, { recursive: true }));

function refusal(name: string, given: Record<string, string>): EtlError {
  try {
    serviceParameters(name, given);
  } catch (error) {
    if (error instanceof EtlError) return error;
  }
  throw new Error('It was not refused.');
}

describe('a service', () => {
  test('is its first section, and of a parameter the first value', () => {
    expect({ ...serviceParameters('prod', env) }).toEqual({
      host: 'db.example',
      port: '6432',
      dbname: 'shop',
      options: '-c search_path=app',
    });
  });

  test('may be said nothing of', () => {
    expect({ ...serviceParameters('empty', env) }).toEqual({});
  });

  test('of the folder of all users counts where the own file has none', () => {
    expect({ ...serviceParameters('ours', env) }).toEqual({ host: '/run/postgresql' });
  });

  test('that nobody has is told with the nearest name and where it was looked for', () => {
    const { code, record } = refusal('prd', env);
    expect(code).toBe('ETL_CONNECTION');
    expect(record.sentence).toContain('"prod"');
    expect(record.remedy).toContain(env.PGSERVICEFILE);
    expect(record.remedy).toContain(join(folder, 'pg_service.conf'));
  });

  test('in a file that is not there is not found either', () => {
    const missing = { PGSERVICEFILE: join(folder, 'missing.conf') };
    expect(refusal('prod', missing).record.remedy).toContain('missing.conf');
  });
});

describe('a file that cannot be understood', () => {
  test('is told with its line, and not with what stands there', () => {
    const file = join(folder, 'broken.conf');
    writeFileSync(file, '[prod]\nhost=a\npassword s3cr3t\n');
    const error = refusal('prod', { PGSERVICEFILE: file });
    expect(error.record).toMatchObject({ code: 'ETL_CONNECTION', facts: { file, line: 3 } });
    expect(error.message).not.toContain('s3cr3t');
  });

  test('is told where it is a folder', () => {
    expect(refusal('prod', { PGSERVICEFILE: folder }).record.facts.file).toBe(folder);
  });
});
