import { present } from '../assert.ts';
import type { FileDescription } from '../source/source-file.ts';
import { readsEmptyAsNull } from '../source/transform/input-of.ts';
import { lengthOf } from './cast-sql.ts';
import { contentAsDigits } from './document-column.ts';
import { emptyIsNull } from './empty-text.ts';
import { conditionSql } from './joint-condition.ts';
import { sharedType, type SharedType } from './joint-types.ts';
import type { StagingColumn, StagingTable } from './staging.ts';
import {
  castOf,
  readAs,
  type FileLayout,
  type LaidFile,
  type StagedField,
  type StagingLayout,
} from './staging-layout.ts';
import type { TargetColumn } from './table.ts';

/**
 * The staging of rows that go to several tables. Each column of a file is staged once: as its type
 * where all tables agree on one, else as text, which each table's own merge casts, so that each reads
 * the value as a load of its own would. The first table's view is the staging table itself; each
 * further one sees the same rows with its own columns (`StagingTable.views`). So does a table in which
 * values are looked up, if its new rows are made of several columns of the files (`lookups.set`).
 */
export interface JointTable {
  readonly columns: readonly TargetColumn[];
  /** SQL condition over its columns and those of the first table; null: all rows. */
  readonly where: string | null;
}

/** What lookups take of the files for the rows that they create, in the order of their views. */
export function setTables(tables: readonly (readonly TargetColumn[])[]): JointTable[] {
  const sets = new Map<number, JointTable>();
  for (const { lookup } of tables.flat()) {
    if (lookup?.set === undefined) continue;
    sets.set(lookup.set.view, { columns: lookup.set.columns, where: null });
  }
  return [...sets].sort(([a], [b]) => a - b).map(([, table]) => table);
}

/** A column of one of the tables, by the index of the table, that takes a column of a file. */
interface Taker {
  readonly table: number;
  readonly column: TargetColumn;
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
    return where === null
      ? view
      : { ...view, condition: where, where: conditionSql(where, view, first) };
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

interface CopiedColumn {
  readonly column: StagingColumn;
  /** Of the file. */
  readonly index: number;
  /** Null: it is ignored. */
  readonly shared: SharedType | null;
  /** Whether all that take it read an empty text as NULL. */
  readonly nulls: boolean;
}

function layFile(staging: Staging, file: LaidFile): FileLayout {
  const { description } = file;
  const copied: CopiedColumn[] = [];
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
        ({ table, column }) =>
          (column.notNull || column.lookup?.required === true) &&
          staging.tables[table]?.where === null,
      );
      for (const { table, column } of takers) {
        const view = viewColumn(name, column, shared, description);
        staging.seen[table]?.push({ name, column: view });
      }
      return { ...physicalColumn(name, shared), notNull };
    });
    const nulls = takers.every((taker) => emptyIsNull(readAs(taker.column).type));
    copied.push({ column, index, shared, nulls });
  }
  const wanted = copied.flatMap(({ index, shared }) =>
    shared === null ? [] : [{ index, shared }],
  );
  const nullEmpty = readsEmptyAsNull(description);
  const digits = copied.flatMap(({ index }) => {
    const [taker] = takersOf(staging.tables, file, index);
    const type = taker === undefined ? null : readAs(taker.column).type;
    return (type === null ? null : contentAsDigits(description, index, type)) ?? [];
  });
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
    ...(description.kind === 'document' ? { documents: documentFields(description, wanted) } : {}),
    ...(digits.length === 0 ? {} : { digits }),
  };
}

function documentFields(
  { columns }: Extract<FileDescription, { kind: 'document' }>,
  wanted: readonly { readonly index: number; readonly shared: SharedType }[],
): StagedField[] {
  return wanted.flatMap(({ index, shared: { stage, document } }) => {
    const { name, source } = present(columns[index], 'a column of the documents');
    return stage === null || document === undefined
      ? []
      : [{ name, source, type: document, stage }];
  });
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
): SharedType | null {
  return sharedType(
    takers.map(({ column }) => column),
    description,
    index,
  );
}

function physicalColumn(name: string, shared: SharedType | null): StagingColumn {
  const { sqlType = 'text', collation = null } = shared ?? {};
  return { name, sqlType, collation, notNull: false, target: null, cast: null };
}

/** The staged column as one of the tables takes it. */
function viewColumn(
  name: string,
  taker: TargetColumn,
  { sqlType, collation: staged, asText }: SharedType,
  description: FileDescription,
): StagingColumn {
  const { type, collation } = readAs(taker);
  const same = sqlType === type.declared && staged === collation;
  const taken =
    taker.lookup === undefined ? { target: taker.name } : { target: null, looksUp: taker.name };
  const column = { name, sqlType, collation: null, notNull: false, cast: null, ...taken };
  if (same) return { ...column, collation };
  const reads = description.kind === 'parquet' || readsEmptyAsNull(description);
  const nulls = asText && reads && emptyIsNull(type) ? { emptyIsNull: true as const } : {};
  return {
    ...column,
    cast: castOf(type),
    ...lengthOf(type),
    collation: asText ? collation : null,
    ...nulls,
  };
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

function nameAt(description: FileDescription, index: number): string {
  const column = present(description.columns[index], 'a column of the file');
  return typeof column === 'string' ? column : column.name;
}
