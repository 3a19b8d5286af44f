import { build, type Metafile, type Plugin } from 'esbuild';
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
 */
export async function bundle(root: string, folder: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: DOORS.map((door) => ({ in: `${door}.ts`, out: nameOf(door) })),
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.12',
    chunkNames: '[name]-[hash]',
    external: EXTERNAL,
    plugins: [READY_MADE],
    banner: { js: REQUIRE },
    // A look for Cloudflare's runtime in pg makes a Response, and with it Node loads 30 ms of undici.
    define: { navigator: '{"userAgent":"Node.js"}' },
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

/** Doors lie side by side in the bundle. */
export function nameOf(door: string): string {
  return door.replaceAll('/', '-');
}
