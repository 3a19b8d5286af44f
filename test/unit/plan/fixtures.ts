import { csvSchema, loadSchema, type LoadRequest } from '../../../src/job/schema.ts';
import type { FilePlan } from '../../../src/plan/plan-types.ts';
import type { CsvDescription, SourceFile } from '../../../src/source/source-file.ts';
import type { TargetColumn, TargetTable, TargetType } from '../../../src/target/table.ts';

const DECLARED: Readonly<Record<string, string>> = {
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  float8: 'double precision',
  bool: 'boolean',
  timestamp: 'timestamp without time zone',
};

export function type(typeName: string, more: Partial<TargetType> = {}): TargetType {
  return {
    declared: DECLARED[typeName] ?? typeName,
    cast: `"pg_catalog"."${typeName}"`,
    typeName,
    kind: 'base',
    element: null,
    hashable: true,
    bytewise: typeName !== 'numeric',
    ...more,
  };
}

export function column(
  name: string,
  typeName = 'text',
  more: Partial<TargetColumn> = {},
): TargetColumn {
  return {
    name,
    type: type(typeName),
    notNull: false,
    collation: null,
    hasDefault: false,
    generated: 'no',
    ...more,
  };
}

/** app.orders (id bigint primary key, name text, amount numeric), with rows in it. */
export function table(more: Partial<TargetTable> = {}): TargetTable {
  return {
    oid: 4711,
    schema: 'app',
    name: 'orders',
    sqlName: 'app.orders',
    columns: [column('id', 'int8', { notNull: true }), column('name'), column('amount', 'numeric')],
    primaryKey: ['id'],
    uniqueIndexes: [{ name: 'orders_pkey', columns: ['id'], primary: true, arbiter: true }],
    exclusionConstraints: [],
    rowTriggers: [],
    rules: [],
    selfReferences: [],
    copiesLikeInsert: true,
    estimatedRows: 1_000,
    bytes: 100_000,
    empty: false,
    ...more,
  };
}

export function request(more: Partial<LoadRequest> = {}): LoadRequest {
  return { ...loadSchema.parse({ files: ['*.csv'], table: 'app.orders' }), ...more };
}

export function csvFile(name: string, more: Partial<SourceFile> = {}): SourceFile {
  return {
    path: `/data/${name}`,
    name,
    format: 'csv',
    compression: 'none',
    bytes: 1_000,
    mtimeMs: 1_700_000_000_000,
    ...more,
  };
}

export function csv(
  columns: readonly string[],
  more: Partial<CsvDescription> = {},
): CsvDescription {
  const { delimiter, escape, ...dialect } = csvSchema.parse({});
  return {
    kind: 'csv',
    columns,
    dialect: { ...dialect, delimiter: delimiter ?? ',', escape: escape ?? '"' },
    path: 'bytes',
    ...more,
  };
}

export function filePlan(ordinal: number, more: Partial<FilePlan> = {}): FilePlan {
  return {
    ...csvFile(`${ordinal}.csv`),
    ordinal,
    description: csv(['id', 'name']),
    targets: ['id', 'name'],
    estimatedRows: 100,
    rowsExact: true,
    range: null,
    keyMin: null,
    keyMax: null,
    skip: null,
    ...more,
  };
}

/** Numbers from 0 to 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
