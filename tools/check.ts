import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/**
 * `npm run check`: types, lint, format, unused code, house rules and unit tests, all at once. Every
 * step is seen to its end, so that one look shows all that is wrong; what went well is one line.
 * What the steps remember is kept below node_modules/.cache.
 */
const CACHE = 'node_modules/.cache';
const STEPS: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['unit', ['vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter', 'dot']],
  ['lint', ['eslint/bin/eslint.js', '--cache', '--cache-location', `${CACHE}/lint.json`, '.']],
  [
    'types',
    ['typescript/bin/tsc', '-p', '.', '--incremental', '--tsBuildInfoFile', `${CACHE}/types.json`],
  ],
  ['unused', ['knip/bin/knip.js']],
  ['format', ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '--cache', '.']],
];

mkdirSync(CACHE, { recursive: true });
const ends = await Promise.all(STEPS.map(runStep));
process.exitCode = ends.every((passed) => passed) ? 0 : 1;

async function runStep([name, [script = '', ...words]]: (typeof STEPS)[number]): Promise<boolean> {
  const started = performance.now();
  const child = spawn(process.execPath, [`node_modules/${script}`, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  }
  const passed = await new Promise<boolean>((resolve) => {
    child.on('close', (code) => {
      resolve(code === 0);
    });
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${name.padEnd(7)} ${seconds} s\n`);
  if (!passed) process.stdout.write(`\n${said.trimEnd()}\n\n`);
  return passed;
}
