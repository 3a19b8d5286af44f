import { whereOf, show, type OriginOf } from './job-problems.ts';
import { isRecord } from './json-path.ts';

type Where = (...steps: string[]) => string;
type Raw = Readonly<Record<string, unknown>>;

/** What contradicts itself in `insertOnly` and `compare` of a load, as it was written. */
export function columnPolicyProblems(load: Raw, where: Where): string[] {
  return [
    ...withoutEffect(load, where),
    ...namesOf(load, 'insertOnly').flatMap((name, place, names) =>
      names.indexOf(name) < place ? [`${where('insertOnly')}: ${show(name)} comes twice.`] : [],
    ),
    ...namesOf(load, 'compare').flatMap((name, place, names) =>
      names.indexOf(name) < place ? [`${where('compare')}: ${show(name)} comes twice.`] : [],
    ),
    ...namesOf(load, 'compare')
      .filter((name) => namesOf(load, 'insertOnly').includes(name))
      .map(
        (name) =>
          `${where('compare')}: ${show(name)} is in insertOnly, too: a difference in it would never end.`,
      ),
  ];
}

/** With `compare` a row stays in parts, and none of the later ones has lost to a single row. */
export function keepingProblems(folder: unknown, loads: unknown, originOf: OriginOf): string[] {
  if ((folder ?? null) === null || !Array.isArray(loads)) return [];
  const compares = (loads as unknown[]).findIndex(
    (load) => isRecord(load) && (load['compare'] ?? null) !== null,
  );
  if (compares < 0) return [];
  const where = whereOf(['settings', 'keepSuperseded'], originOf);
  const which = `loads[${compares}].compare`;
  return [
    `${where}: ${show(folder)} cannot go with ${which}, with which no single row stays for a key.`,
  ];
}

function withoutEffect(load: Raw, where: Where): string[] {
  const policy = load['onConflict'] ?? 'update';
  const given = ['insertOnly', 'compare'].filter((name) => (load[name] ?? null) !== null);
  if (policy === 'ignore' || policy === 'append') {
    return given.map(
      (name) =>
        `${where(name)}: ${show(load[name])} has no effect with onConflict ${show(policy)}, which never changes a row; leave it out.`,
    );
  }
  if (policy !== 'newest' || !given.includes('compare')) return [];
  return [
    `${where('compare')}: ${show(load['compare'])} cannot go with onConflict "newest": the version alone says there whether a row is written.`,
  ];
}

function namesOf(load: Raw, setting: string): unknown[] {
  const names = load[setting];
  return Array.isArray(names) ? (names as unknown[]) : [];
}
