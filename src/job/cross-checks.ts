import { urlProblem } from './database-choice.ts';
import { documentProblems } from './document-checks.ts';
import { indexProblems } from './index-checks.ts';
import { whereOf, show, type OriginOf } from './job-problems.ts';
import { isRecord, valueAt } from './json-path.ts';
import { lookupProblems } from './lookup-checks.ts';
import { columnPolicyProblems, keepingProblems } from './policy-checks.ts';
import { targetProblems } from './target-checks.ts';
import { refusedParameter } from './session-parameters.ts';

/**
 * What no single value can show: values that contradict each other. Reads the job as it was
 * written, valid or not, so that these problems are told together with all others.
 */
export function crossProblems(root: unknown, originOf: OriginOf): string[] {
  const loads = valueAt(root, ['loads']);
  const ofLoads = Array.isArray(loads) ? loadProblems(loads, originOf) : [];
  return [
    ...urlProblems(valueAt(root, ['databaseUrl']), originOf),
    ...sessionProblems(valueAt(root, ['settings', 'session']), originOf),
    ...supersededProblems(root, originOf),
    ...keepingProblems(valueAt(root, ['settings', 'keepSuperseded']), loads, originOf),
    ...ofLoads,
  ];
}

function sessionProblems(session: unknown, originOf: OriginOf): string[] {
  if (!isRecord(session)) return [];
  return Object.keys(session).flatMap((name) => {
    // PostgreSQL takes names in any case; a name that is not in lower case is the schema's to refuse.
    const reason = refusedParameter(name.toLowerCase());
    const where = whereOf(['settings', 'session', name], originOf);
    return reason === null ? [] : [`${where}: may not be set for a session: ${reason}.`];
  });
}

function supersededProblems(root: unknown, originOf: OriginOf): string[] {
  const folder = valueAt(root, ['settings', 'keepSuperseded']) ?? null;
  const loads = valueAt(root, ['loads']);
  if (folder === null || !Array.isArray(loads) || loads.length === 0) return [];
  if (!loads.every((load) => isRecord(load) && load['onConflict'] === 'append')) return [];
  const where = whereOf(['settings', 'keepSuperseded'], originOf);
  return [
    `${where}: ${show(folder)} has no effect with onConflict "append", which keeps every row; leave it out.`,
  ];
}

function urlProblems(url: unknown, originOf: OriginOf): string[] {
  // Another scheme is the schema's to refuse.
  if (typeof url !== 'string' || !/^postgres(ql)?:\/\//.test(url)) return [];
  const problem = urlProblem(url);
  return problem === null
    ? []
    : [`${whereOf(['databaseUrl'], originOf)}: ${show(url)} cannot be read: ${problem}.`];
}

function loadProblems(loads: readonly unknown[], originOf: OriginOf): string[] {
  return loads.flatMap((load, index) => {
    if (!isRecord(load)) return [];
    const where = (...steps: (string | number)[]) => whereOf(['loads', index, ...steps], originOf);
    return [
      ...policyProblems(load, where),
      ...nameProblems(load, where),
      ...dialectProblems(isRecord(load['csv']) ? load['csv'] : {}, where),
      ...documentProblems(load, where),
      ...lookupProblems(load, where),
      ...columnPolicyProblems(load, where),
      ...indexProblems(load, where),
      ...targetProblems(load, where, (target, ofTarget) => [
        ...policyProblems(target, ofTarget),
        ...nameProblems(target, ofTarget),
      ]),
    ];
  });
}

type Where = (...steps: string[]) => string;
type Raw = Readonly<Record<string, unknown>>;

function policyProblems(load: Raw, where: Where): string[] {
  const policy = load['onConflict'] ?? 'update';
  const version = load['versionColumn'] ?? null;
  const problems: string[] = [];
  if (policy === 'newest' && version === null) {
    problems.push(
      `${where('versionColumn')}: is missing; onConflict "newest" needs the column that says which row is newer.`,
    );
  }
  if (policy !== 'newest' && version !== null) {
    problems.push(
      `${where('versionColumn')}: ${show(version)} has no effect with onConflict ${show(policy)}; set onConflict to "newest" or leave it out.`,
    );
  }
  if (policy === 'append' && (load['key'] ?? null) !== null) {
    problems.push(
      `${where('key')}: ${show(load['key'])} has no effect with onConflict "append", which keeps every row; leave it out.`,
    );
  }
  return problems;
}

function nameProblems(load: Raw, where: Where): string[] {
  const key = Array.isArray(load['key']) ? (load['key'] as unknown[]) : [];
  const targets = isRecord(load['columns'])
    ? Object.values(load['columns']).filter((target) => target !== null)
    : [];
  return [
    ...repeated(key).map((name) => `${where('key')}: ${show(name)} comes twice.`),
    ...repeated(targets).map(
      (name) => `${where('columns')}: two columns of the file go to ${show(name)}.`,
    ),
  ];
}

function dialectProblems(csv: Raw, where: Where): string[] {
  const quote = csv['quote'] === undefined ? '"' : csv['quote'];
  const escape = csv['escape'] ?? null;
  const problems: string[] = [];
  const roles = { delimiter: csv['delimiter'] ?? null, quote, comment: csv['comment'] ?? null };
  const taken = new Map<unknown, string>();
  for (const [role, character] of Object.entries(roles)) {
    if (character === null) continue;
    const other = taken.get(character);
    if (other !== undefined) {
      problems.push(
        `${where('csv', role)}: ${show(character)} is the ${other} already; they must differ.`,
      );
    }
    taken.set(character, role);
    if (typeof character === 'string' && /[\r\n]/.test(character)) {
      problems.push(
        `${where('csv', role)}: ${show(character)} holds a line end, which ends a record.`,
      );
    }
  }
  if (quote === null && escape !== null) {
    problems.push(`${where('csv', 'escape')}: ${show(escape)} has no effect where quote is null.`);
  }
  return problems;
}

function repeated(values: readonly unknown[]): unknown[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
