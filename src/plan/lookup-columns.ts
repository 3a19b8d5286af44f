import { EtlError } from '../errors.ts';
import type { LoadRequest } from '../job/schema.ts';
import type { FileSample } from '../source/source-file.ts';
import type { ColumnLookup, TargetColumn, TargetType } from '../target/table.ts';
import { matchName } from './match-name.ts';
import type { PlanContext } from './plan-context.ts';
import type { PlannedLookup } from './plan-lookups.ts';
import type { Target } from './target-table.ts';

/**
 * The request as if the files brought what is looked up: the rest of the planner maps that. What only
 * goes into rows that are created is no column of a table that is made for the load.
 */
export function withLookupColumns(
  request: LoadRequest,
  lookups: readonly PlannedLookup[],
): LoadRequest {
  if (lookups.length === 0) return request;
  const mapped = lookups.map(({ request: { column, into } }) => [column, into] as const);
  const sets = setSources(lookups).map((column) => [column, null] as const);
  const types = lookups.map(({ request: { into }, idType }) => [into, idType.declared] as const);
  return {
    ...request,
    columns: { ...Object.fromEntries(sets), ...request.columns, ...Object.fromEntries(mapped) },
    types: { ...Object.fromEntries(types), ...request.types },
  };
}

function setSources(lookups: readonly PlannedLookup[]): string[] {
  return lookups.flatMap(({ request }) => Object.values(request.set));
}

/**
 * The columns as the table that was found can take them: what goes into created rows is its own as
 * well, where it has such a column; and what is looked up may be another table's alone.
 */
export function columnsForTable(
  request: LoadRequest,
  asked: LoadRequest,
  { planned }: Pick<Target, 'planned'>,
  lookups: readonly PlannedLookup[],
): LoadRequest['columns'] {
  const names = planned.columns.map(({ name }) => name);
  const { ...columns } = asked.columns;
  const free = (column: string): void => {
    if (Object.hasOwn(request.columns, column)) return;
    const own = matchName(column, names);
    columns[column] = own;
  };
  const looked = new Set(lookups.map((lookup) => lookup.request.column));
  for (const column of setSources(lookups)) if (!looked.has(column)) free(column);
  if (request.targets.length === 0) return columns;
  for (const { request: lookup } of lookups) {
    if (matchName(lookup.into, names) === null) free(lookup.column);
  }
  return columns;
}

/** Of further tables: what is looked up goes to the column of that name, where one has it. */
export function furtherColumns(
  columns: LoadRequest['columns'],
  { planned }: Pick<Target, 'planned'>,
  lookups: readonly PlannedLookup[],
): LoadRequest['columns'] {
  const names = planned.columns.map(({ name }) => name);
  const mapped = lookups.flatMap(({ request: { column, into } }) =>
    Object.hasOwn(columns, column) || matchName(into, names) === null
      ? []
      : [[column, into] as const],
  );
  return mapped.length === 0 ? columns : { ...columns, ...Object.fromEntries(mapped) };
}

/** The lookups whose value goes to the column that they name, and not their text to another. */
export function lookupsInto(
  columns: LoadRequest['columns'],
  lookups: readonly PlannedLookup[],
): PlannedLookup[] {
  return lookups.filter(({ request: { column, into } }) => {
    const target = columns[column] ?? null;
    return target !== null && matchName(target, [into]) !== null;
  });
}

/** A lookup whose value no table takes is a mistake. */
export function refuseUnused(
  lookups: readonly PlannedLookup[],
  tables: readonly Pick<Target, 'planned'>[],
): void {
  if (tables.length < 2) return;
  const known = tables.flatMap(({ planned }) => planned.columns);
  for (const { request, lookup } of lookups) {
    const isUsed = known.some(
      (column) =>
        column.lookup?.sqlName === lookup.sqlName && matchName(request.into, [column.name]),
    );
    if (isUsed) continue;
    throw new EtlError(
      'ETL_COLUMN_MISSING',
      `No table of the load takes "${request.column}" by a column "${request.into}", into which it is looked up.`,
      `Name a column of one of them as into: ${tables.map(({ planned }) => planned.sqlName).join(', ')}.`,
      { column: request.into },
    );
  }
}

/** The target whose columns know where their values are found. */
export function withLookups(target: Target, lookups: readonly PlannedLookup[]): Target {
  if (lookups.length === 0) return target;
  const { planned } = target;
  const found = new Map<string, ColumnLookup>();
  for (const { request, lookup, idType } of lookups) {
    if (lookup.schema === planned.schema && lookup.table === planned.name) {
      throw new EtlError(
        'ETL_USAGE',
        `${planned.sqlName} is the table that is loaded; its own rows cannot be looked up.`,
        'Look the values up in another table.',
        { table: planned.sqlName },
      );
    }
    const name = matchName(
      request.into,
      planned.columns.map((column) => column.name),
    );
    const into = planned.columns.find((column) => column.name === name);
    // A column that the table lacks is told with the others, when the files are mapped.
    if (into === undefined) continue;
    refuseOtherType(into, lookup, idType, planned.sqlName);
    refuseNull(into, request, planned.sqlName);
    found.set(into.name, lookup);
  }
  const columns = planned.columns.map((column) => {
    const lookup = found.get(column.name);
    return lookup === undefined ? column : { ...column, lookup };
  });
  const notices = [...target.notices, ...lookups.flatMap(createsNotice), ...stagedNotice(found)];
  return { ...target, planned: { ...planned, columns }, notices };
}

const NUMBERS = new Set(['int2', 'int4', 'int8', 'numeric']);
const TEXTS = new Set(['text', 'varchar', 'bpchar', 'citext']);

function refuseOtherType(
  into: TargetColumn,
  { sqlName, id }: ColumnLookup,
  idType: TargetType,
  table: string,
): void {
  const [from, to] = [idType.typeName, into.type.typeName];
  const fits =
    from === to || (NUMBERS.has(from) && NUMBERS.has(to)) || (TEXTS.has(from) && TEXTS.has(to));
  if (fits) return;
  throw new EtlError(
    'ETL_COLUMN_TYPE',
    `Column "${id}" of ${sqlName} is ${idType.declared}, and "${into.name}" of ${table} is ${into.type.declared}.`,
    `Give them the same type, or name another column of ${sqlName} as id.`,
    { table, column: into.name },
  );
}

function refuseNull(
  { name, notNull }: TargetColumn,
  { required, column }: PlannedLookup['request'],
  table: string,
): void {
  if (required !== false || !notNull) return;
  throw new EtlError(
    'ETL_USAGE',
    `A ${column} that is not found would give NULL (required: false), which "${name}" of ${table} cannot be.`,
    'Leave required out: such a row is bad then; or let the column be NULL.',
    { table, column: name },
  );
}

function createsNotice({ request, lookup }: PlannedLookup): string[] {
  if (!lookup.insertMissing) return [];
  const names = (lookup.set?.columns ?? []).map(({ name }) => name).join(', ');
  const set =
    names === ''
      ? ''
      : ` And their ${names} is that of the first row of the load that brings the value (of the first to come where deterministic is off).`;
  return [
    `Values of ${request.column} that ${lookup.sqlName} lacks are created there before the rows are merged, and stay even where their file is refused. Which of them gets which ${lookup.id} depends on the order of writing, and is not promised.${set}`,
  ];
}

function stagedNotice(found: ReadonlyMap<string, ColumnLookup>): string[] {
  if (found.size === 0) return [];
  return [
    `All rows go through staging, where ${[...found.keys()].join(', ')} is looked up: none is copied into the table directly, and none is left out before it is sent.`,
  ];
}

/** The columns as the catalog has them now, with the lookups that were planned of them. */
export function withPlannedLookups(
  columns: readonly TargetColumn[],
  planned: { readonly columns: readonly TargetColumn[] },
): TargetColumn[] {
  return columns.map((column) => {
    const lookup = planned.columns.find(({ name }) => name === column.name)?.lookup;
    return lookup === undefined ? column : { ...column, lookup };
  });
}

/** Whether a column of the table is looked up. */
export function looksUp(columns: readonly TargetColumn[]): boolean {
  return columns.some((column) => column.lookup !== undefined);
}

/**
 * What the sample of a key column is taken for: where it is looked up the id is not known, but equal
 * values have equal ids, so the values stand in. They have no range that says anything of ids.
 */
export function sampledType({ type, lookup }: TargetColumn): TargetType {
  return lookup === undefined ? type : { ...lookup.match.type, bytewise: false };
}

/** Samples of keys whose values are folded as the lookup does. A guess, as all of a sample is. */
export function foldingSamples<C extends Pick<PlanContext, 'source'>>(
  context: C,
  key: readonly TargetColumn[],
): C {
  const folds = key.map(({ lookup }) => lookup?.fold ?? null);
  if (folds.every((fold) => fold === null)) return context;
  const { source } = context;
  return {
    ...context,
    source: {
      ...source,
      sampleFile: async (...asked) => {
        const sample: FileSample = await source.sampleFile(...asked);
        const rows = sample.rows.map((row) =>
          row.map((value, place) => folded(value, folds[place] ?? null)),
        );
        return { ...sample, rows };
      },
    },
  };
}

function folded(value: string | null, fold: ColumnLookup['fold']): string | null {
  if (value === null || fold === null) return value;
  return fold === 'upper' ? value.toUpperCase() : value.toLowerCase();
}
