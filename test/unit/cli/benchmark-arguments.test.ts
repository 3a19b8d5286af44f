import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../../src/cli/arguments.ts';
import type { BenchmarkArguments } from '../../../src/cli/benchmark-arguments.ts';

async function parse(...argv: string[]): Promise<BenchmarkArguments> {
  const about = { version: '1.2.3', width: 100 };
  const invocation = await parseArguments(['benchmark', ...argv], about);
  if (invocation.command !== 'benchmark') throw new Error(invocation.command);
  return invocation.benchmark;
}

describe('etl benchmark', () => {
  test('needs nothing', async () => {
    expect(await parse()).toEqual({
      suite: 'quick',
      scenarios: [],
      examples: null,
      runs: null,
      seed: 1,
      output: 'benchmark-results',
      databaseUrl: null,
      peers: false,
      configPath: null,
      apply: false,
      minutes: 10,
      json: false,
    });
  });

  test('takes what it is told', async () => {
    const words =
      '--suite full --scenario a,b --scenario c --example d,e --runs 5 --seed 7 --output out --peers --json ' +
      '--database-url postgres://h/d --config prod.json --apply --minutes 3';
    expect(await parse(...words.split(' '))).toEqual({
      suite: 'full',
      scenarios: ['a', 'b', 'c'],
      examples: ['d', 'e'],
      runs: 5,
      seed: 7,
      output: 'out',
      databaseUrl: 'postgres://h/d',
      peers: true,
      configPath: 'prod.json',
      apply: true,
      minutes: 3,
      json: true,
    });
  });

  test('takes all examples by one word', async () => {
    expect(await parse('--example', 'all')).toMatchObject({ scenarios: [], examples: [] });
  });

  test.each([
    [['--suite', 'standart'], 'There is no suite "standart". Did you mean "standard"?'],
    [['--runs', '0'], '--runs: "0" is not a whole number from 1 to 100.'],
    [['--seed', 'x'], '--seed: "x" is not a whole number'],
    [['--suite', 'full', '--suite', 'quick'], '--suite is given 2 times.'],
    [['--suites', 'full'], 'There is no flag --suites. Did you mean "--suite"?'],
    [['--table', 't'], 'There is no flag --table.'],
    [['--apply'], '--apply needs a job file to write to.'],
    [['--database-url', 'db'], '--database-url is not a postgres:// URL.'],
    [['six-files-half'], 'etl benchmark takes no "six-files-half".'],
  ])('%j is refused', async (argv, sentence) => {
    await expect(parse(...argv)).rejects.toThrow(sentence);
  });
});
