import { access, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorRecord, EtlError } from '../../../../src/errors.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { indexOfRecord } from '../../../../src/run/upsert/spool-file.ts';
import { spoolRows, type Rows, type SpoolOptions } from '../../../../src/run/upsert/spool-rows.ts';

let within = '';
beforeEach(async () => {
  within = await mkdtemp(join(tmpdir(), 'etl-spool-test-'));
});
afterEach(() => rm(within, { recursive: true }));

function spool(rows: Rows, options: Partial<SpoolOptions> = {}) {
  const fileRowsMax = LIMITS.spoolFileRowsMax;
  return spoolRows(rows, { name: 'rows:test', within, stops: false, fileRowsMax, ...options });
}

function* numbered(count: number): Generator<object> {
  for (let id = 0; id < count; id++) yield { id };
}

describe('rows are spooled', () => {
  it('as lines of JSON that nobody else can read, and removed', async () => {
    const done = await spool([{ id: 1 }, { id: 2, name: 'ä\n' }]);
    const [file] = done.files;
    expect(done.files).toHaveLength(1);
    expect(file?.file).toMatchObject({ format: 'jsonl', recordedAs: 'rows:test#1', bytes: 32 });
    expect(await readFile(file?.file.path ?? '', 'utf8')).toBe(
      `{"id":1}\n${JSON.stringify({ id: 2, name: 'ä\n' })}\n`,
    );
    expect((await stat(file?.file.path ?? '')).mode & 0o777).toBe(0o600);
    expect((await stat(done.folder)).mode & 0o777).toBe(0o700);
    await done.remove();
    expect(await readdir(within)).toEqual([]);
  });

  it('where they are rows: what cannot be gone through is told, and nothing is left of it', async () => {
    const refused = async (rows: unknown): Promise<unknown> =>
      spool(rows as Rows).catch((error: unknown) => (error as EtlError).record);
    const told = await Promise.all(
      [undefined, null, { id: 1 }, 'rows.csv', Promise.resolve([])].map(refused),
    );
    const sentences = told.map((record) => (record as ErrorRecord).sentence);
    const end = ', which no rows can be taken from.';
    expect(sentences).toEqual([
      ...[
        `The rows are undefined${end}`,
        `The rows are null${end}`,
        `The rows are an object${end}`,
      ],
      ...[`The rows are a string${end}`, `The rows are of the class Promise${end}`],
    ]);
    expect(told.map((record) => (record as ErrorRecord).code)).toEqual(Array(5).fill('ETL_USAGE'));
    expect((told[4] as ErrorRecord).remedy).toContain('await');
    expect(await readdir(within)).toEqual([]);
  });

  it('into no file where there are none', async () => {
    const done = await spool([]);
    expect([done.files, done.rows]).toEqual([[], 0]);
    await done.remove();
  });

  it('into files of a bounded number of rows, that are found again by their index', async () => {
    const max = 50;
    const done = await spool(numbered(2 * max + 1), { fileRowsMax: max });
    expect(done.files.map(({ first }) => first)).toEqual([0, max, 2 * max]);
    const last = await readFile(done.files[2]?.file.path ?? '', 'utf8');
    expect(last).toBe(`{"id":${2 * max}}\n`);
    expect(done.files.map((file) => indexOfRecord(file, 1))).toEqual([0, max, 2 * max]);
    await done.remove();
  });

  it('into files of a bounded size', async () => {
    const wide = { text: 'x'.repeat(LIMITS.spoolFileBytesMax / 2) };
    const done = await spool([wide, wide, wide]);
    expect(done.files.map(({ first }) => first)).toEqual([0, 2]);
    await done.remove();
  });

  it('without those that cannot be said, which keep their index', async () => {
    const bad = { f: () => 1 };
    const done = await spool([bad, { id: 1 }, bad, bad, { id: 4 }, bad]);
    expect(done.rejected.map(({ index }) => index)).toEqual([0, 2, 3, 5]);
    expect(done.rejected[0]?.error).toMatchObject({
      code: 'ETL_ROW_INVALID',
      sentence: 'It is a function, which no column takes.',
      facts: { index: 0, column: 'f' },
    });
    const [file] = done.files;
    if (file === undefined) throw new Error('no file');
    expect([indexOfRecord(file, 1), indexOfRecord(file, 2)]).toEqual([1, 4]);
    await done.remove();
  });

  it('from a source that is asked for more only when there is room', async () => {
    let asked = 0;
    const row = { text: 'x'.repeat(LIMITS.spoolBlockBytes) };
    async function* source(): AsyncGenerator<object> {
      for (; asked < 20; asked++) {
        // All that was given before is on disk, to the last row.
        const [folder = ''] = await readdir(within);
        const written = await stat(join(within, folder, 'rows-1.jsonl')).catch(() => null);
        expect(written?.size ?? 0).toBe(asked * (LIMITS.spoolBlockBytes + '{"text":""}\n'.length));
        yield row;
      }
    }
    const done = await spool(source());
    expect(done.rows).toBe(20);
    await done.remove();
  });
});

describe('spooling leaves nothing behind', () => {
  it('where a bad row stops it', async () => {
    const rows = [{ id: 1 }, new Set()];
    await expect(spool(rows, { stops: true })).rejects.toMatchObject({
      code: 'ETL_ROW_INVALID',
      message: expect.stringMatching(/^rows\[1\]: The row is of the class Set/) as string,
    });
    expect(await readdir(within)).toEqual([]);
  });

  it('where the source throws', async () => {
    async function* source(): AsyncGenerator<object> {
      yield { id: 1 };
      await Promise.resolve();
      throw new Error('the API is down');
    }
    await expect(spool(source())).rejects.toThrow('the API is down');
    expect(await readdir(within)).toEqual([]);
  });

  it('where it is aborted while the source is silent', async () => {
    const stop = new AbortController();
    let returned = false;
    const source: AsyncIterable<object> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          setImmediate(() => stop.abort());
          return new Promise(() => undefined);
        },
        return: () => {
          returned = true;
          return new Promise(() => undefined);
        },
      }),
    };
    await expect(spool(source, { signal: stop.signal })).rejects.toMatchObject({
      code: 'ETL_ABORTED',
    });
    expect(returned).toBe(true);
    expect(await readdir(within)).toEqual([]);
  });

  it('where there is no folder to write to', async () => {
    const missing = join(within, 'missing');
    await expect(spool([{}], { within: missing })).rejects.toMatchObject({ code: 'ETL_USAGE' });
    await expect(access(missing)).rejects.toThrow();
  });
});
