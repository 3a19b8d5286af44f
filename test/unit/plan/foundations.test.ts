import { describe, expect, it } from 'vitest';
import { EtlError, type ErrorRecord } from '../../../src/errors.ts';
import { canonicalJson, deepFreeze, digest } from '../../../src/plan/canonical-json.ts';
import { workersFor } from '../../../src/plan/concurrency.ts';
import { countText, secondsText, shareText } from '../../../src/plan/figures.ts';
import { mapBounded } from '../../../src/plan/map-bounded.ts';
import { noting, throwProblems } from '../../../src/plan/problems.ts';
import { hashText } from '../../../src/plan/text-hash.ts';
import { SERVER } from './fake-context.ts';

describe('canonical JSON', () => {
  it('does not depend on the order of keys, but on that of lists', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
    expect(digest({ a: 1, b: 2 })).toBe(digest({ b: 2, a: 1 }));
    expect(digest([1, 2])).not.toBe(digest([2, 1]));
  });

  it('is frozen through and through', () => {
    const frozen = deepFreeze({ a: [{ b: 1 }] });
    expect(() => ((frozen.a[0] as { b: number }).b = 2)).toThrow(TypeError);
  });
});

describe('work on many items', () => {
  it('keeps their order, and at most so many under way', async () => {
    let running = 0;
    let most = 0;
    const results = await mapBounded([5, 1, 3, 2, 4], 2, async (item) => {
      most = Math.max(most, ++running);
      for (let i = 0; i < item; i++) await Promise.resolve();
      running--;
      return item * 10;
    });
    expect(results).toEqual([50, 10, 30, 20, 40]);
    expect(most).toBe(2);
    expect(await mapBounded([], 2, () => Promise.resolve(1))).toEqual([]);
  });

  it('ends with the first error, when nothing runs any more, and starts nothing new', async () => {
    const started: number[] = [];
    let running = 0;
    const work = mapBounded([0, 1, 2, 3], 2, async (item) => {
      started.push(item);
      running++;
      await Promise.resolve();
      if (item === 0) await Promise.resolve();
      running--;
      throw new Error(`item ${item}`);
    });
    await expect(work).rejects.toThrow('item 0');
    expect(running).toBe(0);
    expect(started).toEqual([0, 1]);
  });
});

describe('problems that are told together', () => {
  const record = (file: string): ErrorRecord => ({
    code: 'ETL_FILE_EMPTY',
    sentence: 'The file is empty.',
    remedy: 'Leave it out.',
    facts: { file },
  });

  function thrown(records: readonly ErrorRecord[]): EtlError | null {
    try {
      throwProblems(records, '70 files');
      return null;
    } catch (error) {
      return error as EtlError;
    }
  }

  it('are nothing, one as it is, or one error with a list', () => {
    expect(thrown([])).toBeNull();
    expect(thrown([record('a.csv')])?.record).toEqual(record('a.csv'));
    const both = thrown([record('a.csv'), record('b.csv')]);
    expect(both?.record.sentence).toBe('2 problems with 70 files.');
    expect(both?.record.facts.problems).toEqual([
      'a.csv: The file is empty. Leave it out. [ETL_FILE_EMPTY]',
      'b.csv: The file is empty. Leave it out. [ETL_FILE_EMPTY]',
    ]);
  });

  it('are bounded', () => {
    const many = thrown(Array.from({ length: 70 }, (_, i) => record(`${i}.csv`)));
    expect(many?.record.facts.problems).toHaveLength(51);
    expect(many?.record.facts.problems?.at(-1)).toBe('and 20 more');
  });

  it('are errors of ours, and others go on', async () => {
    const problems: ErrorRecord[] = [];
    const ours = () => Promise.reject(EtlError.fromRecord(record('a.csv')));
    expect(await noting(problems, ours)).toBeNull();
    expect(problems).toEqual([record('a.csv')]);
    const other = () => Promise.reject(new TypeError('a defect'));
    await expect(noting(problems, other)).rejects.toThrow('a defect');
  });
});

describe('figures', () => {
  it.each([
    [0.00375, '0.4 %'],
    [0.003, '0.3 %'],
    [0.0401, '4.1 %'],
    [0.5, '50 %'],
    [0.123, '13 %'],
    [1, '100 %'],
    [0, '0 %'],
    [0.0000012, '0.0002 %'],
  ])('a share of %d is %s', (share, text) => {
    expect(shareText(share)).toBe(text);
  });

  it('counts and seconds', () => {
    expect([999, 1_234.4, 3_000_000].map(countText)).toEqual(['999', '1,234', '3.0 million']);
    expect([0.01, 8.04, 22.5, 300, 7_200].map(secondsText)).toEqual([
      '0.1 s',
      '8.0 s',
      '23 s',
      '5 min',
      '2.0 hours',
    ]);
  });
});

describe('the hash of a key by its spelling', () => {
  it('tells keys apart, and is the same for the same key', () => {
    const keys = Array.from({ length: 50_000 }, (_, i) => [String(i), i % 2 === 0 ? 'a' : 'b']);
    const hashes = keys.map(hashText);
    expect(new Set(hashes).size).toBe(keys.length);
    expect(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true);
    expect(hashText(['7', 'b'])).toBe(hashes[7]);
    expect(hashText(['ab', 'c'])).not.toBe(hashText(['a', 'bc']));
    expect(hashText(['a', null])).toBeNaN();
  });
});

describe('workers', () => {
  it.each([
    ['auto', 10, 6, false],
    [32, 10, 32, false],
    [32, 90, 9, true],
    [4, 100, 1, true],
  ] as const)('%s with %d connections in use: %d', (concurrency, connectionsUsed, count, told) => {
    const server = { ...SERVER, maxConnections: 100, connectionsUsed };
    const workers = workersFor({ concurrency }, { concurrencyAuto: 6, server });
    expect(workers.count).toBe(count);
    expect(workers.notices).toHaveLength(told ? 1 : 0);
  });
});
