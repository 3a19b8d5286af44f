import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EtlError, type ErrorCode, type ErrorFacts } from '../../../src/errors.ts';
import { heedingChanges, isOther } from '../../../src/source/refuse-changed.ts';

describe('a file that is looked at again', () => {
  const planned = { bytes: 10, mtimeMs: 1.5, ctimeMs: 2.5 };
  const now = { size: 10, mtimeMs: 1.5, ctimeMs: 2.5 };

  it.each([
    ['as it was', planned, now, false],
    ['longer', planned, { ...now, size: 11 }, true],
    ['written to', planned, { ...now, mtimeMs: 1.6 }, true],
    ['replaced by one of its size and time', planned, { ...now, ctimeMs: 2.6 }, true],
    ['nobody knew when it changed', { bytes: 10, mtimeMs: 1.5 }, { ...now, ctimeMs: 9 }, false],
  ])('is another: %s', (_, before, after, other) => {
    expect(isOther(before, after)).toBe(other);
  });
});

describe('a file that cannot be read', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etl-changed-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function toldOf(
    change: (path: string) => Promise<unknown>,
    thrown: unknown,
  ): Promise<unknown> {
    const path = join(folder, 'a.parquet');
    await writeFile(path, 'as it was listed');
    const { size: bytes, mtimeMs, ctimeMs } = await stat(path);
    const read = heedingChanges(async () => {
      await change(path);
      throw thrown;
    });
    return read({ path, name: 'a.parquet', bytes, mtimeMs, ctimeMs }).catch(
      (error: unknown) => error,
    );
  }
  const fault = (code: ErrorCode, facts: ErrorFacts = {}): EtlError =>
    new EtlError(code, 'It is damaged.', 'Fetch it again.', facts);
  const rewritten = (path: string): Promise<void> => writeFile(path, 'something else');

  it.each([
    ['rewritten', rewritten, 'changed since it was listed: 16 bytes then, 14 now'],
    ['removed', (path: string) => rm(path), 'gone since it was listed'],
  ])('was %s meanwhile, and that is told', async (_, change, words) => {
    for (const thrown of [fault('ETL_PARQUET_CORRUPT'), new RangeError('beyond the page')]) {
      const told = await toldOf(change, thrown);
      expect(told).toMatchObject({ code: 'ETL_FILE_CHANGED' });
      expect((told as EtlError).record.facts).toEqual({ file: 'a.parquet' });
      expect((told as EtlError).record.sentence).toContain(words);
    }
  });

  it('is as it was: the error is told as it is', async () => {
    const thrown = fault('ETL_PARQUET_CORRUPT');
    expect(await toldOf(() => Promise.resolve(), thrown)).toBe(thrown);
  });

  it.each([
    ['an interrupt', fault('ETL_ABORTED')],
    ['a lost line', fault('ETL_CONNECTION', { socket: 'ECONNRESET' })],
    ['a server that restarts', fault('ETL_SERVER', { sqlState: '57P03' })],
  ])('since of %s, which is told whatever became of the file', async (_, thrown) => {
    expect(await toldOf(rewritten, thrown)).toBe(thrown);
  });
});
