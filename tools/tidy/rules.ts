import type { SourceText } from './read-sources.ts';

/**
 * The order of the house, top first: a room imports from rooms below it, never from one above.
 * `workers` are doors into threads: they see what the pool sees.
 */
export const ROOMS = [
  'src/cli',
  'benchmarks',
  'src/report',
  'src/index.ts',
  'src/serve',
  'src/check',
  'src/run',
  'workers',
  'src/pool',
  'src/load',
  'src/plan',
  'src/target',
  'src/source',
  'src/conflict',
  'src/job',
  'src/embedded',
  'src/limits.ts',
  'src/log.ts',
  'src/assert.ts',
  'src/code-cache.ts',
  'src/doors.ts',
  'src/group-digits.ts',
  'src/import-url.ts',
  'src/errors.ts',
  'src/make-folder.ts',
  'src/remedy.ts',
  'src/tune-process.ts',
] as const;

/** One outside library, one room. */
export const LIBRARY_ROOMS: Readonly<Record<string, readonly string[]>> = {
  '@fastify/multipart': ['src/serve'],
  'chart.js': ['benchmarks/page'],
  'cli-progress': ['src/report'],
  'cli-table3': ['src/report'],
  'csv-parse': ['src/source/csv'],
  'fastest-levenshtein': ['src/job'],
  fastify: ['src/serve'],
  hyparquet: ['src/source/parquet'],
  hysnappy: ['src/source/parquet'],
  pg: ['src/target'],
  'pg-connection-string': ['src/job'],
  'pg-copy-streams': ['src/target'],
  picocolors: ['src/report'],
  pino: ['src/log.ts'],
  piscina: ['src/pool'],
  'prom-client': ['src/serve'],
  tinyglobby: ['src/source'],
  yargs: ['src/cli'],
  zod: ['src/job'],
  zstddec: ['src/source'],
};

/** Lines that a file may have. A ratchet: lower it when it can be, never raise it. */
export const LINES_MAX = 300;

const FORBIDDEN_NAMES = /(^|[/-])(utils?|helpers?|common|lib|misc|interfaces|manager)([/.-]|$)/;

export function orderProblems(sources: readonly SourceText[]): string[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((target) => {
      const from = roomOf(source.path);
      const to = roomOf(target);
      if (from === -1 || to === -1 || from <= to) return [];
      return [`${source.path} imports ${target}, which is above it`];
    }),
  );
}

function roomOf(path: string): number {
  return ROOMS.findIndex((room) => path === room || path.startsWith(`${room}/`));
}

export function libraryProblems(sources: readonly SourceText[]): string[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((target) => {
      if (target.startsWith('node:') || /^(src|workers|benchmarks)\//.test(target)) return [];
      const rooms = LIBRARY_ROOMS[target];
      if (rooms === undefined) return [`${source.path} imports ${target}, which has no room`];
      return rooms.some((room) => source.path.startsWith(room))
        ? []
        : [`${source.path} imports ${target}, whose room is ${rooms.join(' or ')}`];
    }),
  );
}

export function sizeProblems(sources: readonly SourceText[]): string[] {
  return sources
    .filter((source) => source.lines > LINES_MAX)
    .map((source) => `${source.path} has ${source.lines} lines, more than ${LINES_MAX}`);
}

export function nameProblems(sources: readonly SourceText[]): string[] {
  return sources
    .filter(({ path }) => FORBIDDEN_NAMES.test(path) || /[A-Z_]/.test(path.split('/').pop() ?? ''))
    .map(({ path }) => `${path} is not named after one concept, in kebab-case`);
}

/** Cycles among files; each as a path that comes back to where it began. */
export function cycleProblems(sources: readonly SourceText[]): string[] {
  const edges = new Map(sources.map((source) => [source.path, source.imports]));
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    state.set(path, 'open');
    for (const next of edges.get(path) ?? []) {
      if (edges.has(next)) visit(next, [...trail, path]);
    }
    state.set(path, 'done');
  };
  for (const source of sources) visit(source.path, []);
  return cycles;
}
