import { build, type Metafile } from 'esbuild';
import { basename } from 'node:path';
import { present } from '../../src/assert.ts';
import { BUNDLING } from './bundle.ts';

/** A script has no word for where it lies. */
const PLACE = `const __placeOfScript = require('node:url').pathToFileURL(__filename).href;`;

/**
 * Bundles parts.ts into one script, whose compiled code can be kept (src/code-cache.ts): modules have no such
 * thing in Node 20, and cost more to load. The package's library stays modules, for those who import it. By its
 * name the script says which it is, so that nothing is kept of one for another.
 */
export async function writeScript(
  root: string,
  folder: string,
): Promise<{ readonly name: string; readonly inputs: Metafile['inputs'] }> {
  const { metafile } = await build({
    ...BUNDLING,
    absWorkingDir: root,
    entryPoints: [{ in: 'tools/build/parts.ts', out: 'etl' }],
    entryNames: '[name]-[hash]',
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    // It is read as ASCII.
    charset: 'ascii',
    // Nobody reads it but V8, 15 ms faster for a quarter less; names stay for those who profile.
    minifyWhitespace: true,
    minifySyntax: true,
    banner: { js: PLACE },
    define: { ...BUNDLING.define, 'import.meta.url': '__placeOfScript' },
  });
  const { inputs, outputs } = metafile;
  const path = Object.keys(outputs).find((output) => output.endsWith('.cjs'));
  return { name: basename(present(path, 'the script')), inputs };
}
