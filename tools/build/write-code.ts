import type { Metafile } from 'esbuild';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { writeScript } from './script.ts';
import { writeDoors } from './write-doors.ts';

/** All that runs of a build, into an empty folder; returns what it was made of. */
export async function writeCode(root: string, dist: string): Promise<Metafile['inputs']> {
  const script = await writeScript(root, join(dist, 'script'));
  const bundled = await bundle(root, join(dist, 'bundle'), script.name);
  await writeDoors(dist, bundled);
  return { ...bundled.inputs, ...script.inputs };
}
