import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';
import { dirname } from 'node:path';
import { DOORS } from '../../src/doors.ts';
import { jobJsonSchema } from '../../src/job/job-json-schema.ts';

/**
 * What stays a package of its own: piscina starts threads with a file of its own, chart.js is read as
 * a file, typescript is the user's, parquetjs-lite only generates data, and the web server is loaded
 * by one command, once. The two of pg are asked for elsewhere than in Node.
 */
const EXTERNAL = [
  '@fastify/multipart',
  'chart.js',
  'fastify',
  'parquetjs-lite',
  'pg-cloudflare',
  'pg-native',
  'piscina',
  'prom-client',
  'typescript',
];

/** Packages in CommonJS require what Node brings, for which a module has no word. No name of others. */
const REQUIRE = `import { createRequire as __requireOfBundle } from 'node:module';
const require = __requireOfBundle(import.meta.url);`;

/** A module whose only export is a constant that is made of others, as that constant. */
const READY_MADE: Plugin = {
  name: 'ready-made',
  setup: (bundling) => {
    bundling.onLoad({ filter: /\/src\/job\/job-json-schema\.ts$/ }, () => ({
      contents: `export const jobJsonSchema = ${JSON.stringify(jobJsonSchema)};`,
    }));
  },
};

/**
 * How wide a text is on a terminal is asked of packages that begin with tables of all emoji, 20 ms of each
 * start. Of printable ASCII and the ellipsis of our own words the answer is the length; for all else they are
 * loaded then.
 */
const WIDTHS_WHEN_NEEDED: Plugin = {
  name: 'widths-when-needed',
  setup: (bundling) => {
    bundling.onResolve({ filter: /^string-width$/ }, async ({ kind, pluginData, ...from }) => {
      if (kind !== 'import-statement' || pluginData !== undefined) return undefined;
      const { resolveDir, importer } = from;
      const found = await bundling.resolve('string-width', {
        kind,
        resolveDir,
        importer,
        pluginData: 'the package itself',
      });
      return { path: found.path, namespace: 'widths' };
    });
    bundling.onLoad({ filter: /./, namespace: 'widths' }, ({ path }) => ({
      contents: `let known;
        export default (text, options) => {
          if (typeof text === 'string' && /^[\\x20-\\x7e\\u2026]*$/.test(text)) return text.length;
          known ??= require(${JSON.stringify(path)});
          return known.default(text, options);
        };`,
      resolveDir: dirname(path),
    }));
  },
};

/** What the bundle and the script have in common; see script.ts. */
export const BUNDLING = {
  bundle: true,
  platform: 'node',
  target: 'node20.12',
  external: EXTERNAL,
  plugins: [READY_MADE, WIDTHS_WHEN_NEEDED],
  define: {
    // A look for Cloudflare's runtime in pg makes a Response, and with it Node loads 30 ms of undici.
    navigator: '{"userAgent":"Node.js"}',
  },
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
} as const satisfies BuildOptions;

/**
 * Bundles the doors and all that they import, other packages included, into one folder of modules: what
 * doors share is shared there, and what is imported when it is needed stays so.
 *
 * Client CPU of importing, above that of an empty process: the library 354 ms from some 450 files of our
 * own and the packages'; 227 with our own bundled, 150 with the packages too, 141 without the languages of
 * zod (`import * as z`), 110 without undici. A worker thread: 166, 123, 75 and 48. Minified it takes as
 * long, so that it stays legible.
 *
 * Source maps have no text of the source in them: they are for the names and lines in a stack, which
 * `--verbose` shows.
 *
 * @param script the name of what script.ts has written
 */
export async function bundle(root: string, folder: string, script: string): Promise<Metafile> {
  const { metafile } = await build({
    ...BUNDLING,
    define: { ...BUNDLING.define, ETL_SCRIPT: JSON.stringify(script) },
    absWorkingDir: root,
    entryPoints: DOORS.map((door) => ({ in: `${door}.ts`, out: nameOf(door) })),
    outdir: folder,
    splitting: true,
    format: 'esm',
    chunkNames: '[name]-[hash]',
    banner: { js: REQUIRE },
  });
  return metafile;
}

/** Doors lie side by side in the bundle. */
export function nameOf(door: string): string {
  return door.replaceAll('/', '-');
}
