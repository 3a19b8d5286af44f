import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeDeclarations } from './build/declarations.ts';
import { writeLicences } from './build/licences.ts';
import { writeCode } from './build/write-code.ts';

/**
 * `npm run build`: the package as it is published, in `dist`.
 *
 *     dist/bundle/     the library and its threads in few modules, their source maps, all licences
 *     dist/script/     what the command runs in one script, and later its compiled code
 *     dist/…           the doors (src/doors.ts), a line each, and the declarations of the library
 *
 * Types are not checked here, which would take twice the time: `npm run check` does, and `npm pack`.
 */
const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');

await rm(dist, { recursive: true, force: true });
const inputs = await writeCode(root, dist);
await writeLicences(root, join(dist, 'bundle/LICENSES.txt'), inputs);
process.exitCode = await writeDeclarations(root);
