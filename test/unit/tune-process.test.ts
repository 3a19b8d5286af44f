import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const module = new URL('../../src/tune-process.ts', import.meta.url).href;

/** In a process of its own: flags are set once for all. */
function tuned(v8: string): { flags: readonly string[]; said: string } {
  const code = `import { tuneProcess } from ${JSON.stringify(module)};
    console.log(JSON.stringify(tuneProcess(${v8})));`;
  const options = ['--import', 'tsx', '--input-type=module', '--eval', code];
  const { stdout, stderr } = spawnSync(process.execPath, options, { encoding: 'utf8' });
  return { flags: JSON.parse(stdout) as string[], said: stderr };
}

test('V8 knows the flags that it is given', () => {
  expect(tuned('process.versions.v8').said).toBe('');
}, 30_000);

test('only the V8 of Node 20 optimizes later', () => {
  const isBudget = expect.stringMatching(/^--interrupt-budget=/) as unknown;
  expect(tuned('"11.3.244.8-node.33"').flags).toContainEqual(isBudget);
  expect(tuned('"12.4.254.21-node.33"').flags).not.toContainEqual(isBudget);
}, 30_000);
