import { parseArgs } from 'node:util';
import { simulateSeed } from './simulation/simulate-seed.ts';
import { MUTATIONS, type Mutation } from './simulation/simulated-workers.ts';

/**
 * Runs the scheduler through simulated jobs, one per seed:
 *
 *     npx tsx tools/simulate.ts --seed 1 --runs 1000
 *
 * `--verbose` prints what happened, `--mutation NAME` puts a defect in. Exit code 1 where a seed
 * failed.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    mutation: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const mutation = mutationNamed(values.mutation);
const from = wholeNumber('seed', values.seed);
const runs = wholeNumber('runs', values.runs);
let failures = 0;
for (let seed = from; seed < from + runs; seed += 1) {
  const { problem, trace } = await simulateSeed(seed, mutation);
  if (values.verbose) console.log(trace.lines.join('\n'));
  if (problem === null) continue;
  failures += 1;
  const flag = mutation === null ? '' : ` --mutation ${mutation}`;
  console.log(`Seed ${seed}: ${problem}.`);
  console.log(`  Replay: npx tsx tools/simulate.ts --seed ${seed} --verbose${flag}`);
}
console.log(`${runs} seeds from ${from}: ${failures} failed.`);
process.exitCode = failures === 0 ? 0 : 1;

function mutationNamed(name: string | undefined): Mutation | null {
  if (name === undefined) return null;
  const found = MUTATIONS.find((each) => each === name);
  if (found === undefined) throw new Error(`--mutation is one of ${MUTATIONS.join(', ')}.`);
  return found;
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${flag} is a whole number.`);
  return value;
}
