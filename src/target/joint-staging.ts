import { present } from '../assert.ts';
import type { FileDescription } from '../source/source-file.ts';
import { inputOf, readsEmptyAsNull } from '../source/transform/input-of.ts';
import { stageColumn, type StageColumn } from './binary/stage-column.ts';
import { emptyIsNull } from './empty-text.ts';
import { jsonForm } from './json-form.ts';
import { quoted } from './names.ts';
import { stagedValue, type StagingColumn, type StagingTable } from './staging.ts';
import { castOf, type FileLayout, type LaidFile, type StagingLayout } from './staging-layout.ts';
import type { TargetColumn, TargetType } from './table.ts';

/**
 * The staging of rows that go to several tables. Each column of a file is staged once: as its type
 * where all tables agree on one, else as text, which each table's own merge casts, so that each reads
 * the value as a load of its own would. The first table's view is the staging table itself; each
 * further one sees the same rows with its own columns (`StagingTable.views`).
 */
export interface JointTable {
  readonly columns: readonly TargetColumn[];
  /** SQL condition over its columns and those of the first table; null: all rows. */
  readonly where: string | null;
}

/** A column of one of the tables, by the index of the table, that takes a column of a file. */
interface Taker {
  readonly table: number;
  readonly column: TargetColumn;
}

/** How a column of a file is staged; null where the tables' types cannot share one staging. */
interface Shared {
  readonly sqlType: string;
  readonly collation: string | null;
  readonly stage: StageColumn | null;
  readonly form: ReturnType<typeof jsonForm>;
  /** Whether it is staged as text, for each table to cast. */
  readonly asText: boolean;
}

/** `tables`: in order of merging, the load's own first. */
export function jointLayout(
  tables: readonly JointTable[],
  files: readonly LaidFile[],
  table: Pick<StagingTable, 'sqlName' | 'kind' | 'fileColumn'>,
): StagingLayout {
  const staging: Staging = { tables, columns: new Map(), seen: tables.map(() => []) };
  const layouts = files.map((file) => [file.ordinal, layFile(staging, file)] as const);
  const physical = [...staging.columns.values()];
  const [own = [], ...further] = staging.seen.map((taken) => columnsOf(physical, taken));
  const first = { ...table, columns: own };
  const views = further.map((columns, index) => {
    const where = tables[index + 1]?.where ?? null;
    const view = { ...table, columns };
    return where === null ? view : { ...view, where: conditionSql(where, view, first) };
  });
  return { table: { ...first, views }, files: new Map(layouts) };
}

/** Equal for files that may share a staging table and be merged by one statement for each table. */
export function jointLayoutKey(tables: readonly JointTable[], file: LaidFile): string {
  const { columns } = file.description;
  const fields = columns.flatMap((_, index) => {
    const takers = takersOf(tables, file, index);
    if (takers.length === 0) return [];
    return [`${signatureOf(takers)}\u0000${sharedOf(takers, file.description, index)?.sqlType}`];
  });
  return fields.sort().join('\u0001');
}

/**
 * The columns of a file, by index, that go to columns whose types read it in different ways (an
 * array and a text), so that no staging serves both.
 */
export function unshareable(tables: readonly JointTable[], file: LaidFile): readonly number[] {
  return [...file.description.columns.keys()].filter((index) => {
    const takers = takersOf(tables, file, index);
    return takers.length > 1 && sharedOf(takers, file.description, index) === null;
  });
}

interface Staging {
  readonly tables: readonly JointTable[];
  /** By what it holds. */
  readonly columns: Map<string, StagingColumn>;
  /** By table: what it takes, by the name of the staged column. */
  readonly seen: { readonly name: string; readonly column: StagingColumn }[][];
}

function layFile(staging: Staging, file: LaidFile): FileLayout {
  const { description } = file;
  const copied: { column: StagingColumn; index: number; shared: Shared | null; nulls: boolean }[] =
    [];
  for (const index of description.columns.keys()) {
    const takers = takersOf(staging.tables, file, index);
    if (takers.length === 0) {
      // COPY takes every field of a CSV record, so what is ignored needs a column, too.
      if (description.kind !== 'csv') continue;
      const column = place(staging, `ignored ${index}`, (name) => physicalColumn(name, null));
      copied.push({ column, index, shared: null, nulls: false });
      continue;
    }
    const shared = present(sharedOf(takers, description, index), 'a type that all tables share');
    const column = place(staging, signatureOf(takers), (name) => {
      const notNull = takers.some(
        ({ table, column }) => column.notNull && staging.tables[table]?.where === null,
      );
      for (const { table, column } of takers) {
        const view = viewColumn(name, column, shared, description);
        staging.seen[table]?.push({ name, column: view });
      }
      return { ...physicalColumn(name, shared), notNull };
    });
    const nulls = takers.every((taker) => emptyIsNull(taker.column.type));
    copied.push({ column, index, shared, nulls });
  }
  const wanted = copied.flatMap(({ index, shared }) =>
    shared === null ? [] : [{ index, shared }],
  );
  const nullEmpty = readsEmptyAsNull(description);
  return {
    copyColumns: copied.map(({ column }) => column.name),
    fileColumns: copied.map(({ index }) => nameAt(description, index)),
    forceNull: copied.filter(({ nulls }) => nulls && nullEmpty).map(({ column }) => column.name),
    asText: wanted.some(({ shared }) => shared.asText),
    parquet:
      description.kind === 'parquet'
        ? wanted.flatMap(({ index, shared: { stage } }) =>
            stage === null ? [] : [{ name: nameAt(description, index), stage }],
          )
        : null,
    json:
      description.kind === 'json' || description.kind === 'transformed'
        ? wanted.map(({ index, shared: { form } }) => ({ column: index, form }))
        : null,
  };
}

function place(
  { columns }: Staging,
  key: string,
  make: (name: string) => StagingColumn,
): StagingColumn {
  const known = columns.get(key);
  if (known !== undefined) return known;
  const column = make(`c${columns.size}`);
  columns.set(key, column);
  return column;
}

function takersOf(
  tables: readonly JointTable[],
  { targets, further = [] }: LaidFile,
  index: number,
): Taker[] {
  return [targets, ...further].flatMap((mapping, table) => {
    const name = mapping[index] ?? null;
    const column = tables[table]?.columns.find((each) => each.name === name);
    return column === undefined ? [] : [{ table, column }];
  });
}

function signatureOf(takers: readonly Taker[]): string {
  return JSON.stringify(takers.map(({ table, column }) => [table, column.name]));
}

function sharedOf(
  takers: readonly Taker[],
  description: FileDescription,
  index: number,
): Shared | null {
  const types = takers.map(({ column }) => column.type);
  const first = present(takers[0], 'a column that takes it').column;
  const agree = takers.every(
    ({ column }) =>
      column.type.declared === first.type.declared && column.collation === first.collation,
  );
  if (description.kind === 'parquet') {
    return parquetShared(first, types, agree, description.columns[index]);
  }
  const form = sharedForm(types);
  if (form === null && inputOf(description).kind === 'json') return null;
  const own = { stage: null, form: form ?? 'text' };
  return agree
    ? { ...own, sqlType: first.type.declared, collation: first.collation, asText: false }
    : { ...own, sqlType: 'text', collation: null, asText: true };
}

/** How the values of a JSON file are spelled for all of the types; null where they differ in it. */
function sharedForm(types: readonly TargetType[]): ReturnType<typeof jsonForm> | null {
  const forms = [...new Set(types.map(jsonForm))];
  if (forms.length === 1) return forms[0] ?? null;
  // The digits of a number, as text; an integer that is spelled with a fraction is refused then.
  return forms.every((form) => form === 'text' || form === 'integer') ? 'text' : null;
}

/** Types of Parquet whose values have one spelling as text, whatever reads it. */
const SPELLED = new Set(
  'boolean integer float decimal date time timestamp uuid string enum'.split(' '),
);

function parquetShared(
  first: TargetColumn,
  types: readonly TargetType[],
  agree: boolean,
  column: Extract<FileDescription, { kind: 'parquet' }>['columns'][number] | undefined,
): Shared | null {
  const { type } = present(column, 'a column of the file');
  const own = { form: 'text' } as const;
  if (agree) {
    const stage = stageColumn(type, first.type);
    const collation = stage.sqlType === first.type.declared ? first.collation : null;
    return { ...own, stage, sqlType: stage.sqlType, collation, asText: false };
  }
  if (!SPELLED.has(type.kind) || types.some(({ kind }) => kind === 'array')) return null;
  return { ...own, stage: stageColumn(type, TEXT), sqlType: 'text', collation: null, asText: true };
}

const TEXT: TargetType = {
  declared: 'text',
  cast: '"pg_catalog"."text"',
  typeName: 'text',
  kind: 'base',
  element: null,
  hashable: true,
  bytewise: true,
};

function physicalColumn(name: string, shared: Shared | null): StagingColumn {
  const { sqlType = 'text', collation = null } = shared ?? {};
  return { name, sqlType, collation, notNull: false, target: null, cast: null };
}

/** The staged column as one of the tables takes it. */
function viewColumn(
  name: string,
  { name: target, type, collation }: TargetColumn,
  { sqlType, collation: staged, asText }: Shared,
  description: FileDescription,
): StagingColumn {
  const same = sqlType === type.declared && staged === collation;
  const column = { name, sqlType, collation: null, notNull: false, target, cast: null };
  if (same) return { ...column, collation };
  const reads = description.kind === 'parquet' || readsEmptyAsNull(description);
  const nulls = asText && reads && emptyIsNull(type) ? { emptyIsNull: true as const } : {};
  return { ...column, cast: castOf(type), collation: asText ? collation : null, ...nulls };
}

/** All staged columns, those that the table takes with its own names and casts. */
function columnsOf(
  physical: readonly StagingColumn[],
  taken: readonly { readonly name: string; readonly column: StagingColumn }[],
): StagingColumn[] {
  const own = new Map(taken.map(({ name, column }) => [name, column]));
  return physical.map((column) => {
    const seen = own.get(column.name);
    return seen === undefined ? column : { ...seen, notNull: column.notNull };
  });
}

/**
 * The condition over a row of staging, its names being those of the columns. A name of both tables
 * means the further one's. (As a subquery of one row, since staged columns have names of their own.)
 */
function conditionSql(where: string, view: StagingTable, first: StagingTable): string {
  const values = new Map<string, string>();
  for (const column of [...view.columns, ...first.columns]) {
    if (column.target === null || values.has(column.target)) continue;
    values.set(column.target, stagedValue(column));
  }
  const fields = [...values].map(([name, value]) => `${value} as ${quoted(name)}`);
  return `(select (${where}) from (select ${fields.join(', ')}) of_the_row)`;
}

function nameAt(description: FileDescription, index: number): string {
  const column = present(description.columns[index], 'a column of the file');
  return typeof column === 'string' ? column : column.name;
}
