import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a process of the built command has loaded, its threads included. */
export interface LoadedModules {
  /** Paths of files, as often as threads loaded them. */
  readonly files: readonly string[];
  /**
   * Paths from the root of the checkout, each once: the sources that the files were bundled from, and those of
   * the script's sources that have run.
   */
  readonly sources: readonly string[];
  /** Globals that were looked at and with which Node loads its web client (undici). */
  readonly webGlobals: readonly string[];
}

/** The environment of a process that writes down what it loads. */
export function recordingLoads(logPath: string): Record<string, string> {
  const preload = `data:text/javascript,${encodeURIComponent(sourceOf(logPath))}`;
  return { NODE_OPTIONS: `--import=${preload}` };
}

export function readLoads(logPath: string): LoadedModules {
  const lines = readFileSync(logPath, 'utf8').split('\n');
  const files = lines.filter((line) => line.startsWith('file:')).map((url) => fileURLToPath(url));
  const begun = lines
    .filter((line) => line.startsWith(BEGUN))
    .map((line) => line.slice(BEGUN.length));
  const sources = [...files.flatMap(sourcesOf), ...begun];
  return {
    files,
    sources: [...new Set(sources)].sort(),
    webGlobals: lines.filter((line) => line.startsWith('web ')),
  };
}

/** In front of the name of a source of the script that runs. */
const BEGUN = 'begun ';

/** How esbuild begins the function that runs a source of a script when it is asked for first. */
const INIT = '__esm=(fn,res,err)=>function(){';

/** By the source map beside the file. */
function sourcesOf(file: string): string[] {
  if (!existsSync(`${file}.map`)) return [];
  const { sources } = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as { sources: string[] };
  const root = join(dirname(file), '../../');
  return sources
    .map((source) => join(dirname(file), source))
    .filter((path) => path.startsWith(root) && !basename(path).startsWith('<'))
    .map((path) => path.slice(root.length));
}

/** Node loads it into every thread before all else. */
function sourceOf(logPath: string): string {
  const hooks = `
    import { appendFileSync } from 'node:fs';
    export async function load(url, context, next) {
      appendFileSync(${JSON.stringify(logPath)}, url + '\\n');
      return next(url, context);
    }`;
  return `
    import { appendFileSync } from 'node:fs';
    import { register, syncBuiltinESMExports } from 'node:module';
    import vm from 'node:vm';
    const init = ${JSON.stringify(INIT)};
    const tell = 'if (fn) require("node:fs").appendFileSync(' + ${JSON.stringify(JSON.stringify(logPath))} +
      ', ${JSON.stringify(BEGUN)} + Object.getOwnPropertyNames(fn)[0] + "\\\\n");';
    vm.Script = class extends vm.Script {
      constructor(code, options) {
        if (!code.includes(init)) throw new Error('The script has no ' + init);
        super(code.replace(init, init + tell), { ...options, cachedData: undefined });
      }
      createCachedData() {
        throw new Error('It is not the code of the script.');
      }
    };
    syncBuiltinESMExports();
    register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(hooks))});
    for (const name of ['Response', 'Request', 'Headers', 'FormData', 'fetch']) {
      const { get, value } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
      Object.defineProperty(globalThis, name, { configurable: true, get: () => {
        appendFileSync(${JSON.stringify(logPath)}, 'web ' + name + '\\n');
        return get === undefined ? value : get.call(globalThis);
      } });
    }`;
}
