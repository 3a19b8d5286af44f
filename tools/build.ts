import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './build/bundle.ts';
import { writeDeclarations } from './build/declarations.ts';
import { writeLicences } from './build/licences.ts';
import { writeDoors } from './build/write-doors.ts';

/**
 * `npm run build`: the package as it is published, in `dist`.
 *
 *     dist/bundle/     all code in few files, their source maps, the licences of what is in them
 *     dist/…           the doors (src/doors.ts), a line each, and the declarations of the library
 *
 * Types are not checked here, which would take twice the time: `npm run check` does, and `npm pack`.
 */
const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');

await rm(dist, { recursive: true, force: true });
const bundled = await bundle(root, join(dist, 'bundle'));
await writeDoors(dist, bundled);
await writeLicences(root, join(dist, 'bundle/LICENSES.txt'), bundled.inputs);
process.exitCode = await writeDeclarations(root);
