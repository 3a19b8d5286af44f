import type { Metafile } from 'esbuild';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { assert, present } from '../../src/assert.ts';
import { DOORS } from '../../src/doors.ts';

/** Each door at the path where it is looked for: one line that hands on what is in the bundle. */
export async function writeDoors(dist: string, bundled: Metafile): Promise<void> {
  await Promise.all(DOORS.map((door) => writeDoor(dist, door, bundled)));
}

async function writeDoor(dist: string, door: string, { outputs }: Metafile): Promise<void> {
  const [place, output] = present(
    Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === `${door}.ts`),
    `the bundle of ${door}`,
  );
  const path = join(dist, `${door}.js`);
  const specifier = relative(dirname(path), place);
  assert(specifier.startsWith('..'), 'a door lies in a folder beside the bundle');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, textOf(specifier, output.exports));
}

function textOf(specifier: string, exports: readonly string[]): string {
  if (exports.length === 0) return `#!/usr/bin/env node\nimport '${specifier}';\n`;
  const all = `export * from '${specifier}';\n`;
  return exports.includes('default') ? `${all}export { default } from '${specifier}';\n` : all;
}
