import { present } from '../assert.ts';
import { formatPath, isRecord, valueAt } from './json-path.ts';
import type { JobOption } from './job-options.ts';
import { show } from './job-problems.ts';
import { didYouMean } from './nearest-name.ts';

/** A setting from outside the job file; in its path, `*` is the load that the flags mean. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  /** For messages: `--key`, `ETL_CONCURRENCY`. */
  readonly origin: string;
}

/**
 * What a flag or a variable says of one option. The parameters of a session come one by one, so that
 * a flag changes one of them and leaves the others as the job file has them.
 */
export function overridesOf(option: JobOption, value: unknown, origin: string): Override[] {
  const { path, kind } = option;
  if (kind !== 'mapping' || path.includes('*') || !isRecord(value))
    return [{ path, value, origin }];
  return Object.entries(value).map(([name, one]) => ({
    path: [...path, name],
    value: one,
    origin,
  }));
}

export interface Overlay {
  readonly root: unknown;
  /** The load that the flags mean. Null: none was meant, so the job is all its loads. */
  readonly chosen: number | null;
  /** Origins by formatted path. */
  readonly origins: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
}

/**
 * Lays settings over what a job file says; of two with one path the later wins. Flags of a load
 * go to the only load of the file, or to the one whose table `--table` names; the others are then
 * left out of this run.
 */
export function layOver(fileRoot: unknown, overrides: readonly Override[]): Overlay {
  const root: unknown = structuredClone(fileRoot);
  const origins = new Map<string, string>();
  if (!isRecord(root)) return { root, chosen: null, origins, problems: [] };
  const choice = chooseLoad(root, overrides);
  if (choice.problem !== null) return { root, chosen: null, origins, problems: [choice.problem] };
  for (const override of overrides) {
    const path = override.path.map((step) => (step === '*' ? (choice.index ?? 0) : step));
    if (setAt(root, path, override.value)) origins.set(formatPath(path), override.origin);
  }
  return { root, chosen: choice.index, origins, problems: forbiddenNames(overrides) };
}

/** As in a job file. Assigned, it would do nothing, and nobody would be told. */
function forbiddenNames(overrides: readonly Override[]): string[] {
  return overrides.flatMap(({ path, value, origin }) =>
    path.includes('__proto__') || (isRecord(value) && Object.hasOwn(value, '__proto__'))
      ? [`${origin}: the name "__proto__" is not allowed.`]
      : [],
  );
}

interface Choice {
  readonly index: number | null;
  readonly problem: string | null;
}

function chooseLoad(root: Record<string, unknown>, overrides: readonly Override[]): Choice {
  const ofLoad = overrides.filter((override) => override.path.includes('*'));
  const { loads } = root;
  const [first] = ofLoad;
  if (first === undefined) return { index: null, problem: null };
  if (loads !== undefined && !Array.isArray(loads)) return { index: 0, problem: null };
  if (loads === undefined || loads.length <= 1) return { index: 0, problem: null };
  const tables = loads.map((load) => valueAt(load, ['table']));
  const names = tables.filter((table) => typeof table === 'string');
  const wanted = ofLoad.find((override) => override.path.at(-1) === 'table');
  if (wanted === undefined) {
    return refuse(
      `${first.origin}: the job file holds ${loads.length} loads; ` +
        `say with --table which one is meant (${names.join(', ')}).`,
    );
  }
  const found = tables.flatMap((table, index) => (table === wanted.value ? [index] : []));
  if (found.length === 1) return { index: present(found[0], 'the load'), problem: null };
  const hint = didYouMean(String(wanted.value), names);
  return refuse(
    found.length > 1
      ? `${wanted.origin}: ${found.length} loads of the job file have the table ${show(wanted.value)}.`
      : `${wanted.origin}: no load of the job file has the table ${show(wanted.value)} (${names.join(', ')}).${hint}`,
  );
}

function refuse(problem: string): Choice {
  return { index: null, problem };
}

/** False where something in between is no object: the schema will say so. */
function setAt(root: Record<string, unknown>, path: readonly (string | number)[], value: unknown) {
  let parent: Record<PropertyKey, unknown> = root;
  for (const [index, step] of path.slice(0, -1).entries()) {
    parent[step] ??= typeof path[index + 1] === 'number' ? [] : {};
    const next = parent[step];
    if (typeof next !== 'object' || next === null) return false;
    if (Array.isArray(next) !== (typeof path[index + 1] === 'number')) return false;
    parent = next as Record<PropertyKey, unknown>;
  }
  parent[present(path.at(-1), 'the last step')] = value;
  return true;
}
