import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  SIZE_NAMES,
  type Example,
  type Figure,
  type SizeName,
} from '../examples/support/example.ts';
import { etlIn } from '../examples/support/run-etl.ts';
import { startEmbedded } from '../src/embedded/embedded.ts';

/**
 * Runs examples on a server of their own, which is gone afterwards:
 *
 *     npm run examples                                 all, at a small size
 *     npm run examples -- data-lake --size full         one, at the size that its README tells of
 */
const EXAMPLES = [
  'data-lake',
  'company-predictions',
  'ocds-releases',
  'profiles',
  'parallel-upsert',
] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: 'small' },
    json: { type: 'boolean', default: false },
    'database-url': { type: 'string' },
  },
});
const size = SIZE_NAMES.find((one) => one === values.size);
const names = positionals.length === 0 ? EXAMPLES : positionals;
const unknown = names.filter((name) => !EXAMPLES.some((one) => one === name));
if (size === undefined || unknown.length > 0) {
  throw new Error(`Usage: npm run examples -- ${EXAMPLES.join('|')} [--size small|full] [--json]`);
}

const abort = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());

for (const name of names) {
  const { example } = (await import(`../examples/${name}/run.ts`)) as { example: Example };
  const figures = await runOne(example, size);
  const { reported } = example;
  if (values.json) process.stdout.write(`${JSON.stringify({ name, size, reported, figures })}\n`);
  else process.stdout.write(`${text(example, figures)}\n`);
}

async function runOne(example: Example, size: SizeName): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), `etl-example-${example.name}-`));
  // The server of root's runs as nobody, who must pass through it to its own folder.
  await chmod(folder, 0o711);
  // The benchmark names its database by the environment, where a password is not for all to see.
  const named = values['database-url'] ?? process.env['EXAMPLE_DATABASE_URL'];
  const server =
    named === undefined
      ? await startEmbedded({
          home: join(folder, 'postgres'),
          mode: 'attached',
          temporary: true,
          signal: abort.signal,
        })
      : null;
  try {
    const databaseUrl = server?.url ?? named ?? '';
    const { signal } = abort;
    const say = (line: string): void => void process.stderr.write(`${example.name}: ${line}\n`);
    const work = await mkdtemp(join(folder, 'work-'));
    const scene = {
      folder: work,
      databaseUrl,
      signal,
      say,
      etl: etlIn(work, { databaseUrl, signal }),
    };
    return await example.run(scene, example.sizes[size]);
  } finally {
    await server?.release();
    await rm(folder, { recursive: true, force: true });
  }
}

function text({ name, reported }: Example, figures: readonly Figure[]): string {
  const lines = figures.map(({ what, value, unit, reported: had }) => {
    const shown = value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 3 : 0 });
    return `  ${what.padEnd(44)} ${shown.padStart(12)} ${unit}${had === undefined ? '' : `   (reported: ${had})`}`;
  });
  return [`\n${name}: ${reported.sentence}`, ...lines].join('\n');
}
