import { describe, expect, test } from 'vitest';
import { checkScenario, type Scenario } from '../../../benchmarks/scenario.ts';
import { chooseScenarios, readScenarios } from '../../../benchmarks/scenarios.ts';
import { EtlError } from '../../../src/errors.ts';

const plain = { name: 'a', description: 'b', rows: { quick: 10 }, files: 2 };

function problemsOf(fields: object): readonly string[] {
  try {
    checkScenario({ ...plain, ...fields }, 'a.json');
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(EtlError);
    return (error as EtlError).record.facts.problems ?? [];
  }
}

describe('a scenario', () => {
  test('needs little, and gets the rest', () => {
    expect(checkScenario(plain, 'a.json')).toMatchObject({
      formats: ['csv'],
      width: 8,
      keyType: 'bigint',
      order: 'sorted',
      overlap: 0,
      strategies: ['auto'],
      concurrency: [2],
      tableRows: {},
    });
  });

  test('is refused with all of its problems at once', () => {
    const problems = problemsOf({ files: 0, overlapp: 0.5, overlap: 2, strategies: ['fast'] });
    expect(problems).toEqual([
      expect.stringMatching(/^overlapp is not known.*overlap/),
      expect.stringMatching(/^files: 0 is not a whole number from 1/),
      expect.stringMatching(/^overlap: 2 is not a number from 0 to 1/),
      expect.stringMatching(/^strategies: \["fast"\] is not a list of auto, full-parallel/),
    ]);
    expect(() => checkScenario(null, 'a.json')).toThrow('it is not an object');
    expect(() => checkScenario({}, 'a.json')).toThrow('rows is missing');
  });

  test.each([
    [{ rows: { slow: 1 } }, 'rows: {"slow":1}'],
    [{ name: 'Big One' }, 'name: "Big One"'],
    [{ concurrency: [] }, 'concurrency: []'],
    [{ files: 6, sharedBy: 4 }, 'sharedBy does not divide'],
    [{ skew: 1 }, 'order is "shuffled"'],
    [{ skew: 1, order: 'shuffled', overlap: 0.5 }, 'overlap cannot be given'],
    [{ keyType: 'uuid' }, 'come "shuffled" only'],
    [{ known: 0.2, unchanged: 0.3, tableRows: { quick: 5 } }, 'unchanged is more than known'],
    [{ known: 0.125, tableRows: { quick: 5 } }, 'whole percents'],
    [{ known: 0.5 }, 'known needs tableRows'],
    [{ fresh: true, tableRows: { quick: 5 } }, 'a fresh table holds no rows'],
    [{ onConflict: 'append', overlap: 0.5 }, 'append has no keys'],
    [{ onConflict: 'append', peers: ['psql script'] }, 'peers upsert'],
  ])('%j is refused', (fields, problem) => {
    expect(problemsOf(fields).join('\n')).toContain(problem);
  });
});

describe('the scenarios that ship', async () => {
  const all = await readScenarios();
  const named = (name: string): Scenario | undefined => all.find((one) => one.name === name);

  test('are those that the results speak of', () => {
    const promised =
      'six-files-distinct six-files-same-keys six-files-half fresh-table repeated-unchanged ' +
      'one-large-file eight-files many-small-files one-file-of-a-million parquet-six-files ' +
      'skewed uuid-keys text-keys composite-keys huge-table rss-100mb rss-1gb rss-4gb';
    expect(all.map((one) => one.name)).toEqual(expect.arrayContaining(promised.split(' ')));
  });

  test('differ in one thing where they are compared with each other', () => {
    const pairs = [
      ['six-files-distinct', 'repeated-unchanged'],
      ['one-large-file', 'eight-files'],
      ['one-file-of-a-million', 'many-small-files'],
      ['one-bad-row', 'one-file-of-a-million'],
      ['one-bad-row-shuffled', 'one-file-shuffled'],
    ] as const;
    for (const [one, other] of pairs) {
      expect(named(one)?.rows.full).toBe(named(other)?.rows.full);
      expect(named(one)?.width).toBe(named(other)?.width);
      expect(named(one)?.concurrency).toEqual(named(other)?.concurrency);
    }
  });

  test('make a standard suite that somebody waits for', () => {
    // On two processors 0.2 million rows a second, and a start of each of about a second.
    const RUNS = 3;
    const seconds = chooseScenarios(all, 'standard', []).map(({ scenario, rows }) => {
      const { strategies, concurrency, peers, runsMax } = scenario;
      const contenders = strategies.length * concurrency.length + peers.length;
      return contenders * Math.min(RUNS, (runsMax || RUNS) + 1) * (1 + rows / 200_000);
    });
    expect(seconds.reduce((sum, one) => sum + one, 0)).toBeLessThan(35 * 60);
  });

  test('are chosen by suite or by name', () => {
    const quick = chooseScenarios(all, 'quick', []);
    expect(quick.length).toBeGreaterThan(1);
    expect(quick.length).toBeLessThan(all.length);
    expect(quick.every(({ rows }) => rows <= 100_000)).toBe(true);
    const [named] = chooseScenarios(all, 'quick', ['rss-1gb']);
    expect(named).toMatchObject({ rows: 12_500_000, tableRows: 0 });
    expect(() => chooseScenarios(all, 'quick', ['six-files-hlf'])).toThrow('six-files-half');
  });
});
