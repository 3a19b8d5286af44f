import { describe, expect, test } from 'vitest';
import { defineJob, type JobInput } from '../../../src/job/define-job.ts';
import { EtlError } from '../../../src/errors.ts';

type LoadInput = JobInput['loads'][number];

function problemsOf(change: Partial<LoadInput>): readonly string[] {
  try {
    defineJob({ loads: [{ files: ['a.csv'], table: 't', ...change }] });
    return [];
  } catch (error) {
    if (!(error instanceof EtlError)) throw error;
    const { problems, ...facts } = error.record.facts;
    return problems ?? [`${error.record.sentence} ${JSON.stringify(facts)}`];
  }
}

describe('column policies', () => {
  test.each<[Partial<LoadInput>, string, string]>([
    [
      { onConflict: 'ignore', compare: ['a'] },
      'compare',
      'has no effect with onConflict "ignore", which never changes a row',
    ],
    [{ onConflict: 'append', insertOnly: ['a'] }, 'insertOnly', 'has no effect with onConflict'],
    [
      { onConflict: 'newest', versionColumn: 'v', compare: ['a'] },
      'compare',
      'cannot go with onConflict "newest"',
    ],
    [{ insertOnly: ['a', 'a'] }, 'insertOnly', '"a" comes twice'],
    [{ compare: ['a', 'b', 'a'] }, 'compare', '"a" comes twice'],
    [{ insertOnly: ['a'], compare: ['a'] }, 'compare', '"a" is in insertOnly, too'],
    [{ insertOnly: [] }, 'insertOnly', '[] is not allowed'],
  ])('%j is refused', (change, where, sentence) => {
    const [problem, ...others] = problemsOf(change);
    expect(problem).toContain(`loads[0].${where}`);
    expect(problem).toContain(sentence);
    expect(others).toEqual([]);
  });

  test('with compare no losing rows can be kept', () => {
    const load = { files: ['a.csv'], table: 't' };
    const job = (compare: string[] | null): JobInput => ({
      settings: { keepSuperseded: 'lost' },
      loads: [load, { ...load, compare }],
    });
    expect(() => defineJob(job(['a']))).toThrow('"lost" cannot go with loads[1].compare');
    expect(() => defineJob(job(null))).not.toThrow();
  });

  test.each<Partial<LoadInput>>([
    { insertOnly: ['a'], compare: ['b'] },
    { onConflict: 'newest', versionColumn: 'v', insertOnly: ['a'] },
    { onConflict: 'ignore', insertOnly: null, compare: null },
  ])('%j is allowed', (change) => {
    expect(problemsOf(change)).toEqual([]);
  });
});

describe('indexes', () => {
  test.each<[NonNullable<LoadInput['indexes']>, string, string]>([
    [[{ columns: ['lower(a'] }], 'indexes[0].columns[0]', 'its parentheses do not match'],
    [[{ columns: ['a'], where: 'b; drop table t' }], 'indexes[0].where', 'it holds a semicolon'],
    [
      [{ columns: ['a'], method: 'gin', unique: true }],
      'indexes[0].unique',
      'an index of method "gin" cannot be unique',
    ],
    [
      [
        { columns: ['a'], name: 'x' },
        { columns: ['b'], name: 'x' },
      ],
      'indexes[1].name',
      '"x" is the name of another index',
    ],
    [[{ columns: [] }], 'indexes[0].columns', '[] is not allowed'],
  ])('%j are refused', (indexes, where, sentence) => {
    const [problem, ...others] = problemsOf({ indexes });
    expect(problem).toContain(`loads[0].${where}`);
    expect(problem).toContain(sentence);
    expect(others).toEqual([]);
  });

  test('may have names that only quotes make safe, and expressions', () => {
    const columns = ['a; drop table t', 'lower(b)', 'c desc nulls last'];
    expect(problemsOf({ indexes: [{ columns, where: "c > 'x;y'" }] })).toEqual([]);
  });
});
