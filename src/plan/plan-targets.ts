import { EtlError, type ErrorRecord } from '../errors.ts';
import type { LoadRequest } from '../job/schema.ts';
import type { TargetRequest } from '../job/target-schema.ts';
import { setTables, unshareable, type JointTable } from '../target/joint-staging.ts';
import type { TransformSource } from '../source/source-file.ts';
import type { LaidFile } from '../target/staging-layout.ts';
import { refuseUnknownColumns, type DescribedFile } from './describe-files.ts';
import { mapFiles, type MappedFiles } from './map-files.ts';
import { furtherColumns, lookupsInto, withLookups } from './lookup-columns.ts';
import { matchName } from './match-name.ts';
import { countText } from './figures.ts';
import type { LedgerEntry, PlanContext } from './plan-context.ts';
import type { FilesIn } from './plan-files.ts';
import type { PlannedLookup } from './plan-lookups.ts';
import { withTransformTypes } from './plan-transform.ts';
import type { TargetPlan } from './plan-types.ts';
import { throwProblems } from './problems.ts';
import { findTarget, type CreatedTable, type Target } from './target-table.ts';

/**
 * The further tables of a load (`targets`): each takes the rows of the same staging, in the
 * transaction of the load's own table, and ends as a load of its own of the same files would leave
 * it. Columns of a file that a further table lacks are left out of it without a word, since they are
 * in the first table.
 */
export interface FurtherTarget {
  readonly request: TargetRequest;
  readonly target: Target;
}

/** Where the values of the rows come from, beside the files. */
export interface FurtherValues {
  readonly lookups: readonly PlannedLookup[];
  readonly transform: TransformSource | null;
}

export async function findFurther(
  request: LoadRequest,
  files: readonly DescribedFile[],
  created: ReadonlyMap<string, CreatedTable>,
  context: PlanContext,
  { lookups, transform }: FurtherValues,
): Promise<readonly FurtherTarget[]> {
  const further: FurtherTarget[] = [];
  for (const one of request.targets) {
    const own = {
      ...request,
      ...one,
      columns: ofNewTable(one, files),
      compression: {},
      lookups: [],
    };
    const typed = withTransformTypes(own, transform);
    const into = lookupsInto(one.columns, lookups).map(
      ({ request: lookup, idType }) => [lookup.into, idType.declared] as const,
    );
    const asked = { ...typed, types: { ...Object.fromEntries(into), ...typed.types } };
    const found = await findTarget(asked, files, created, context);
    const columns = furtherColumns(one.columns, found, lookups);
    const target = withLookups(found, lookupsInto(columns, lookups));
    // The load's own table has told what becomes of looked-up values.
    further.push({
      request: { ...one, columns },
      target: { ...target, notices: found.notices },
    });
  }
  return further;
}

/** What loading a file means for the further tables; nothing where there are none. */
export function furtherMeaning(further: readonly FurtherTarget[]): object {
  if (further.length === 0) return {};
  const targets = further.map(({ request, target }) => ({
    table: target.planned.sqlName,
    key: target.key,
    onConflict: request.onConflict,
    versionColumn: target.versionColumn,
    columns: request.columns,
    where: request.where,
  }));
  return { targets };
}

/** A table that is to be made gets the columns that the job names, or all. */
function ofNewTable(
  { columns }: TargetRequest,
  files: readonly DescribedFile[],
): TargetRequest['columns'] {
  if (Object.keys(columns).length === 0) return columns;
  return { ...columns, ...leftOut(files, (name) => !Object.hasOwn(columns, name)) };
}

function leftOut(
  files: readonly DescribedFile[],
  isOut: (name: string) => boolean,
): Record<string, null> {
  const names = new Set(files.flatMap((file) => file.columns));
  return Object.fromEntries([...names].filter(isOut).map((name) => [name, null]));
}

export interface MappedFurther {
  /** What the planner of files is to know of it: nothing where there is no further table. */
  readonly toPlan: Pick<FilesIn, 'further' | 'sampled'>;
  readonly notices: readonly string[];
}

type ByFile = NonNullable<FilesIn['further']>;

/** Maps the columns of all files to the further tables; `own`: to the load's own. */
export async function mapFurther(
  files: readonly DescribedFile[],
  own: { readonly target: Target; readonly mapped: MappedFiles },
  further: readonly FurtherTarget[],
  isSkipped: (file: DescribedFile) => boolean,
): Promise<MappedFurther> {
  if (further.length === 0) return { toPlan: {}, notices: [] };
  refuseTwice([own.target, ...further.map(({ target }) => target)]);
  const named = files.map((file, place) => withNames(file, own.mapped.targets[place] ?? []));
  const mapped: MappedFiles[] = [];
  for (const { request, target } of further) {
    refuseUnknownColumns(request.columns, named);
    refuseNullKeys(request, target);
    const columns = ofTable(request, named, target);
    mapped.push(await mapFiles(named, target, { columns }, isSkipped));
  }
  const byFile = files.map((_, place) => mapped.map(({ targets }) => targets[place] ?? []));
  const toPlan = { further: byFile, sampled: sampledTable(own, further, byFile) };
  return { toPlan, notices: mapped.flatMap(({ losses }) => losses) };
}

/** The columns of a file without a header are called by where they go in the first table. */
function withNames(file: DescribedFile, targets: readonly (string | null)[]): DescribedFile {
  const { description } = file;
  if (description.kind !== 'csv' || description.dialect.header) return file;
  const columns = file.columns.map((name, index) => targets[index] ?? name);
  const dialect = { ...description.dialect, header: true };
  return { ...file, columns, description: { ...description, columns, dialect } };
}

function ofTable(
  { columns }: TargetRequest,
  files: readonly DescribedFile[],
  { planned }: Target,
): TargetRequest['columns'] {
  const names = planned.columns.map(({ name }) => name);
  const unknown = (name: string): boolean =>
    !Object.hasOwn(columns, name) && matchName(name, names) === null;
  return { ...columns, ...leftOut(files, unknown) };
}

function refuseTwice(targets: readonly Target[]): void {
  const names = targets.map(({ planned }) => planned.sqlName);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new EtlError(
    'ETL_USAGE',
    `The rows of one load go to ${twice} twice.`,
    'Name each table once in table and targets, or make two loads of it.',
    { table: twice },
  );
}

/** Staging refuses a row without a key, but not one that the condition leaves out. */
function refuseNullKeys({ where }: TargetRequest, { key, planned }: Target): void {
  if (where === null) return;
  const nullable = planned.columns.find(({ name, notNull }) => key.includes(name) && !notNull);
  if (nullable === undefined) return;
  throw new EtlError(
    'ETL_KEY_INVALID',
    `The key column "${nullable.name}" of ${planned.sqlName} may be NULL, and where leaves rows out of it.`,
    'Declare the column NOT NULL, or take another key.',
    { table: planned.sqlName, column: nullable.name },
  );
}

/** `targets`, `further`: where each column goes, by file; the latter also in rows that lookups create. */
export function refuseUnshareable(
  files: readonly DescribedFile[],
  targets: MappedFiles['targets'],
  tables: readonly JointTable[],
  further: ByFile | undefined,
): void {
  if (further === undefined) return;
  const problems = new Map<string, ErrorRecord>();
  let last: DescribedFile | null = null;
  files.forEach((file, place) => {
    // All documents are described alike.
    if (last?.description === file.description) return;
    last = file;
    const laid = { ...file, targets: targets[place] ?? [], further: further[place] ?? [] };
    for (const index of unshareable(tables, laid)) {
      const column = file.columns[index] ?? '';
      if (problems.has(column)) continue;
      problems.set(column, {
        code: 'ETL_COLUMN_TYPE',
        sentence: `The tables take the column as types that read it in different ways (${typesOf(tables, laid, index)}).`,
        remedy: 'Give both columns one type, or leave it out of one of the tables.',
        facts: { file: file.file.name, column },
      });
    }
  });
  throwProblems([...problems.values()], 'the columns of several tables');
}

function typesOf(tables: readonly JointTable[], file: LaidFile, index: number): string {
  const names = [file.targets, ...(file.further ?? [])].map((targets) => targets[index] ?? null);
  const types = tables.flatMap(({ columns }, table) =>
    columns.filter(({ name }) => name === names[table]).map(({ type }) => type.declared),
  );
  return [...new Set(types)].join(', ');
}

/** What staging has to serve, in the order of its views. */
export function tablesInStaging(
  { planned }: Target,
  further: readonly FurtherTarget[],
): JointTable[] {
  const tables = [
    { columns: planned.columns, where: null },
    ...further.map(({ request, target }) => ({
      columns: target.planned.columns,
      where: request.where,
    })),
  ];
  return [...tables, ...setTables(tables.map(({ columns }) => columns))];
}

/**
 * The table whose keys are sampled to choose a strategy: the first that has some. Where another one
 * has keys that files share, too, that costs a wait, and never the result.
 */
function sampledTable(
  own: { readonly target: Target; readonly mapped: MappedFiles },
  further: readonly FurtherTarget[],
  byFile: ByFile,
): { readonly target: Target; readonly targets: MappedFiles['targets'] } {
  const index =
    own.target.key.length > 0
      ? -1
      : further.findIndex(({ request, target }) => target.key.length > 0 && request.where === null);
  const chosen = further[index];
  if (chosen === undefined) return { target: own.target, targets: own.mapped.targets };
  return { target: chosen.target, targets: byFile.map((mappings) => mappings[index] ?? []) };
}

/** Also where the ledger, which is the first table's, cannot know that a further one lacks its rows. */
export function furtherNotices(
  further: readonly FurtherTarget[],
  { notices }: MappedFurther,
  loaded: ReadonlyMap<string, LedgerEntry>,
): string[] {
  const rows = [...loaded.values()].reduce((sum, entry) => sum + entry.rowsRead, 0);
  const lacking = further
    .map(({ target }) => target)
    .filter(({ planned }) => rows > 0 && planned.empty)
    .map(
      ({ planned }) =>
        `${planned.sqlName} is ${planned.create === null ? 'empty' : 'to be created'}, though ${countText(rows)} rows of ${loaded.size} files were loaded for it: these are not loaded again. --force loads them again, into all tables.`,
    );
  return [...further.flatMap(({ target }) => target.notices), ...notices, ...lacking];
}

export function targetPlans(further: readonly FurtherTarget[]): {
  readonly targets?: readonly TargetPlan[];
} {
  if (further.length === 0) return {};
  const targets = further.map(({ request, target }) => ({
    table: target.planned,
    key: target.key,
    onConflict: request.onConflict,
    versionColumn: target.versionColumn,
    where: request.where,
  }));
  return { targets };
}
