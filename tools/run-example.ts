import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inOwnDatabase } from '../benchmarks/examples/own-database.ts';
import { benchmarkSession } from '../benchmarks/measure/session.ts';
import { SIZE_NAMES, type Example, type Figure } from '../examples/support/example.ts';
import { etlIn } from '../examples/support/run-etl.ts';
import { startEmbedded } from '../src/embedded/embedded.ts';
import { didYouMean } from '../src/job/nearest-name.ts';
import { connect } from '../src/target/connect.ts';

const EXAMPLES = [
  'data-lake',
  'company-predictions',
  'ocds-releases',
  'profiles',
  'parallel-upsert',
] as const;

const USAGE = `
Runs examples, each on a server of its own, which is gone afterwards.

  npm run examples                                  all, at the small size
  npm run examples -- data-lake --size full         one, at the size that its README tells of

  --size small|full      small: seconds
  --seed N               other data of the same size and shape; 1 where absent
  --database-url URL     on this server, in a database of its own, which is dropped afterwards
  --json                 a line of JSON for each

Examples: ${EXAMPLES.join(', ')}
`;

/** Of a command that is used wrongly, and of one that was interrupted. */
const [USED_WRONGLY, INTERRUPTED] = [2, 130];

class UsageError extends Error {}

const abort = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  // Ctrl-C comes from the terminal, and once more from npm and tsx, which pass on what they got.
  process.on(name, () => abort.abort());
}
process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  if (abort.signal.aborted) {
    process.stderr.write('Interrupted; what it had made is removed.\n');
    return INTERRUPTED;
  }
  // Whoever runs this for a benchmark looks for this word.
  process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof UsageError ? USED_WRONGLY : 1;
});

async function main(words: readonly string[]): Promise<number> {
  const asked = argumentsOf(words);
  if (asked === null) {
    process.stdout.write(USAGE.trimStart());
    return 0;
  }
  const { names, size, seed, json, databaseUrl } = asked;
  for (const name of names) {
    const { example } = (await import(`../examples/${name}/run.ts`)) as { example: Example };
    const figures = await onServer(name, databaseUrl, (url, folder) =>
      runOne(example, reseeded(example.sizes[size], seed), url, folder),
    );
    const { reported } = example;
    if (json) process.stdout.write(`${JSON.stringify({ name, size, reported, figures })}\n`);
    else process.stdout.write(`${text(example, figures)}\n`);
  }
  return 0;
}

/** Null: it is asked how it is used. */
function argumentsOf(words: readonly string[]) {
  const { values, positionals } = parsed(words);
  if (values.help) return null;
  for (const name of positionals) {
    if (EXAMPLES.some((one) => one === name)) continue;
    throw new UsageError(
      `There is no example "${name}".${didYouMean(name, EXAMPLES)} There are: ${EXAMPLES.join(', ')}.`,
    );
  }
  const size = SIZE_NAMES.find((one) => one === values.size);
  if (size === undefined) throw new UsageError(`--size is ${SIZE_NAMES.join(' or ')}.`);
  if (!/^\d{1,9}$/.test(values.seed)) throw new UsageError('--seed is a whole number.');
  return {
    names: positionals.length === 0 ? EXAMPLES : positionals,
    ...{ size, seed: Number(values.seed), json: values.json },
    databaseUrl: values['database-url'],
  };
}

function parsed(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        size: { type: 'string', default: 'small' },
        seed: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        'database-url': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
}

/** Sizes have their seeds at some depth, each other than the others; all of them move on alike. */
function reseeded(size: unknown, seed: number): unknown {
  if (typeof size !== 'object' || size === null) return size;
  return Object.fromEntries(
    Object.entries(size).map(([name, value]: [string, unknown]) => [
      name,
      name === 'seed' ? Number(value) + seed - 1 : reseeded(value, seed),
    ]),
  );
}

async function onServer<Result>(
  name: string,
  databaseUrl: string | undefined,
  use: (url: string, folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), `etl-example-${name}-`));
  try {
    // The benchmark names its database by the environment, where a password is not for all to see.
    const made = process.env['EXAMPLE_DATABASE_URL'];
    if (databaseUrl !== undefined) {
      const connection = await connect(benchmarkSession(databaseUrl));
      return await inOwnDatabase(connection, databaseUrl, (url) => use(url, folder)).finally(() =>
        connection.end(),
      );
    }
    if (made !== undefined) return await use(made, folder);
    // Beside the folder: interrupted while it is made, it removes itself only a moment later.
    const home = join(tmpdir(), `etl-example-pg-${randomBytes(4).toString('hex')}`);
    const server = await startEmbedded({
      ...{ home, mode: 'attached', temporary: true, signal: abort.signal },
    });
    return await use(server.url, folder).finally(() => server.release());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runOne(
  example: Example,
  size: unknown,
  databaseUrl: string,
  folder: string,
): Promise<readonly Figure[]> {
  const { signal } = abort;
  const say = (line: string): void => void process.stderr.write(`${example.name}: ${line}\n`);
  const work = await mkdtemp(join(folder, 'work-'));
  const etl = etlIn(work, { databaseUrl, signal });
  return example.run({ folder: work, databaseUrl, signal, say, etl }, size);
}

function text({ name, reported }: Example, figures: readonly Figure[]): string {
  const width = Math.max(...figures.map(({ what }) => what.length));
  const lines = figures.map(({ what, value, unit, reported: had }) => {
    const shown = value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 3 : 0 });
    return `  ${what.padEnd(width)} ${shown.padStart(12)} ${unit}${had === undefined ? '' : `   (reported: ${had})`}`;
  });
  return [`\n${name}: ${reported.sentence}`, ...lines].join('\n');
}
