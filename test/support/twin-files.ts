import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { OracleFile } from '../../tools/oracle.ts';
import { storedValue } from '../../tools/parquet-corpus/corpus-columns.ts';
import type { ParquetType } from '../../src/source/source-file.ts';
import { csvOf } from './random-load.ts';

/** The same rows for a Parquet file and a CSV file. */
export interface TwinColumn {
  readonly name: string;
  /** In the Parquet file; no lists, maps and structs. */
  readonly type: ParquetType;
  /** In the CSV file. */
  readonly texts: readonly (string | null)[];
  /** In the Parquet file, where the texts do not say it. */
  readonly stored?: readonly unknown[];
}

export interface TwinFiles {
  readonly parquet: string;
  readonly csv: string;
}

/** Writes both into the folder; columns that are shorter than the longest end in NULL. */
export async function writeTwins(
  folder: string,
  name: string,
  columns: readonly TwinColumn[],
): Promise<TwinFiles> {
  const twins = { parquet: join(folder, `${name}.parquet`), csv: join(folder, `${name}.csv`) };
  await writeFile(twins.parquet, parquetOf(columns));
  await writeFile(twins.csv, csvOf(rowsOfColumns(columns)));
  return twins;
}

export function rowsOfColumns(columns: readonly TwinColumn[]): OracleFile {
  return {
    columns: columns.map(({ name }) => name),
    rows: Array.from({ length: rowCount(columns) }, (_, row) =>
      columns.map(({ texts }) => texts[row] ?? null),
    ),
  };
}

export function parquetOf(columns: readonly TwinColumn[]): Uint8Array {
  const count = rowCount(columns);
  const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }];
  for (const { name, type } of columns) {
    schema.push({ ...elementOf(type), name, repetition_type: 'OPTIONAL' });
  }
  const columnData = columns.map(({ name, type, texts, stored }) => ({
    name,
    data: Array.from({ length: count }, (_, row) =>
      stored === undefined ? writtenValue(type, texts[row] ?? null) : (stored[row] ?? null),
    ),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData, schema, createdBy: 'twins' }));
}

function rowCount(columns: readonly TwinColumn[]): number {
  return Math.max(...columns.map(({ texts }) => texts.length));
}

/** The writer wants objects of JSON, and takes text as text. */
function writtenValue(type: ParquetType, text: string | null): unknown {
  if (text === null) return null;
  if (type.kind === 'json') return JSON.parse(text);
  if (type.kind === 'enum') return Buffer.from(text);
  if (type.kind === 'time' && type.unit === 'ms') return Number(storedValue(type, text));
  if (type.kind === 'bson') return Buffer.from(text.slice(2), 'hex');
  return storedValue(type, text);
}

type Element = Omit<SchemaElement, 'name' | 'repetition_type'>;

const UNITS = { ms: 'MILLIS', us: 'MICROS', ns: 'NANOS' } as const;

function elementOf(type: ParquetType): Element {
  switch (type.kind) {
    case 'boolean':
      return { type: 'BOOLEAN' };
    case 'integer': {
      const { bits, signed } = type;
      const physical = bits === 64 ? 'INT64' : 'INT32';
      return { type: physical, converted_type: `${signed ? '' : 'U'}INT_${bits}` };
    }
    case 'float':
      if (type.bits === 16) return { ...fixed(2), logical_type: { type: 'FLOAT16' } };
      return { type: type.bits === 64 ? 'DOUBLE' : 'FLOAT' };
    case 'decimal': {
      const { precision, scale } = type;
      const annotation = { converted_type: 'DECIMAL', precision, scale } as const;
      if (precision <= 9) return { type: 'INT32', ...annotation };
      return precision <= 18 ? { type: 'INT64', ...annotation } : { ...fixed(16), ...annotation };
    }
    case 'date':
      return { type: 'INT32', converted_type: 'DATE' };
    case 'time':
    case 'timestamp': {
      const physical = type.kind === 'time' && type.unit === 'ms' ? 'INT32' : 'INT64';
      const kind = type.kind === 'time' ? 'TIME' : 'TIMESTAMP';
      const annotation = { isAdjustedToUTC: type.utc, unit: UNITS[type.unit] };
      return { type: physical, logical_type: { type: kind, ...annotation } };
    }
    case 'interval':
      return { ...fixed(12), converted_type: 'INTERVAL' };
    case 'uuid':
      return { ...fixed(16), logical_type: { type: 'UUID' } };
    case 'string':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8' };
    case 'enum':
      return { type: 'BYTE_ARRAY', converted_type: 'ENUM' };
    case 'json':
      return { type: 'BYTE_ARRAY', converted_type: 'JSON' };
    case 'bson':
      return { type: 'BYTE_ARRAY', converted_type: 'BSON' };
    case 'binary':
      return { type: 'BYTE_ARRAY' };
    case 'null':
      return { type: 'INT32', logical_type: { type: 'NULL' } };
    case 'list':
    case 'map':
    case 'struct':
      throw new Error(`columns of ${type.kind} are written elsewhere`);
  }
}

function fixed(length: number): Element {
  return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: length };
}

/** Months, days and milliseconds, as Parquet keeps an interval. */
export function intervalBytes(months: number, days: number, milliseconds: number): Uint8Array {
  const bytes = Buffer.alloc(12);
  for (const [place, part] of [months, days, milliseconds].entries()) {
    bytes.writeUInt32LE(part, place * 4);
  }
  return bytes;
}
