import { gzipSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { ParquetType } from '../../src/source/source-file.ts';
import {
  TEXTS,
  TYPE,
  counted,
  decimal,
  integer,
  repeated,
  storedValue,
  time,
  timestamp,
} from './corpus-columns.ts';
import type { CorpusColumn, CorpusFile } from './corpus-columns.ts';

const UNITS = { ms: 'MILLIS', us: 'MICROS', ns: 'NANOS' } as const;

/** Files of hyparquet-writer: annotations and storage that Arrow's writers do not make. */
export function hyparquetFiles(): CorpusFile[] {
  const columns = annotatedColumns(80);
  return [
    hyparquetFile('hyparquet-snappy-small-pages', columns, { codec: 'SNAPPY', pageSize: 200 }),
    hyparquetFile('hyparquet-gzip-row-groups', columns, { codec: 'GZIP', rowGroupSize: 30 }),
    hyparquetFile('hyparquet-uncompressed', columns, { codec: 'UNCOMPRESSED' }),
  ];
}

interface StoredColumn extends CorpusColumn {
  readonly element: Omit<SchemaElement, 'name' | 'repetition_type'>;
}

type MakeColumn = (
  name: string,
  type: ParquetType,
  texts: readonly string[],
  element: StoredColumn['element'],
) => StoredColumn;

function annotatedColumns(rows: number): StoredColumn[] {
  const column: MakeColumn = (name, type, texts, element) => ({
    name,
    type,
    texts: repeated(rows, ...texts),
    element,
  });
  const stamps = TEXTS.timestampUs.slice(0, 2);
  const instants = stamps.map((text) => `${text}+00`);
  const decimals = { converted_type: 'DECIMAL', precision: 9, scale: 2 } as const;
  return [
    {
      name: 'id',
      type: TYPE.int32,
      texts: counted(rows, String),
      element: { type: 'INT32' },
    },
    column('decimal32', decimal(9, 2), TEXTS.decimal2, { type: 'INT32', ...decimals }),
    column('decimal64', decimal(18, 2), TEXTS.decimal2, {
      type: 'INT64',
      ...decimals,
      precision: 18,
    }),
    column('decimal_fixed', decimal(38, 10), TEXTS.decimal38.slice(1), {
      type: 'FIXED_LEN_BYTE_ARRAY',
      type_length: 16,
      ...decimals,
      precision: 38,
      scale: 10,
    }),
    column('legacy_u16', integer(16, false), TEXTS.uint16, {
      type: 'INT32',
      converted_type: 'UINT_16',
    }),
    column('legacy_i8', integer(8, true), TEXTS.int8, { type: 'INT32', converted_type: 'INT_8' }),
    column('legacy_instant', timestamp('us', true), instants, {
      type: 'INT64',
      converted_type: 'TIMESTAMP_MICROS',
    }),
    column('nanos', timestamp('ns', true), instants, {
      type: 'INT64',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: UNITS.ns },
    }),
    column('local', timestamp('ms', false), TEXTS.timestampMs, {
      type: 'INT64',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: UNITS.ms },
    }),
    column('clock', time('ms', true), TEXTS.timeMs, {
      type: 'INT32',
      converted_type: 'TIME_MILLIS',
    }),
    column('day', TYPE.date, TEXTS.date, { type: 'INT32', converted_type: 'DATE' }),
    ...byteColumns(column),
    column('flag', TYPE.boolean, TEXTS.boolean, { type: 'BOOLEAN' }),
  ];
}

/** Columns that lie in the file as bytes. */
function byteColumns(column: MakeColumn): StoredColumn[] {
  return [
    column('uuid', TYPE.uuid, TEXTS.uuid, {
      type: 'FIXED_LEN_BYTE_ARRAY',
      type_length: 16,
      logical_type: { type: 'UUID' },
    }),
    column('half', { kind: 'float', bits: 16 }, ['1', '-2.5', '0.5', '65504'], {
      type: 'FIXED_LEN_BYTE_ARRAY',
      type_length: 2,
      logical_type: { type: 'FLOAT16' },
    }),
    column('document', TYPE.json, ['{"a":[1,2.5,null]}', '"text"', '{}'], {
      type: 'BYTE_ARRAY',
      converted_type: 'JSON',
    }),
    column('mood', { kind: 'enum' }, ['sad', 'happy'], {
      type: 'BYTE_ARRAY',
      converted_type: 'ENUM',
    }),
    column('name', TYPE.string, TEXTS.string, { type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
    column('fixed', TYPE.binary, ['\\x0001', '\\xfffe'], {
      type: 'FIXED_LEN_BYTE_ARRAY',
      type_length: 2,
    }),
  ];
}

function hyparquetFile(
  name: string,
  columns: readonly StoredColumn[],
  options: { codec: 'SNAPPY' | 'GZIP' | 'UNCOMPRESSED'; pageSize?: number; rowGroupSize?: number },
): CorpusFile {
  const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }];
  for (const column of columns) {
    schema.push({ ...column.element, name: column.name, repetition_type: 'OPTIONAL' });
  }
  const columnData = columns.map(({ name: column, type, texts }) => ({
    name: column,
    data: texts.map((text) => (text === null ? null : writtenValue(type, text))),
  }));
  const bytes = parquetWriteBuffer({
    columnData,
    schema,
    compressors: { GZIP: (input) => gzipSync(input) },
    createdBy: 'corpus',
    ...options,
  });
  return {
    name,
    columns: columns.map(({ name: column, type, texts }) => ({ name: column, type, texts })),
    bytes: new Uint8Array(bytes),
  };
}

/** The writer wants text of a uuid, objects of JSON, and numbers where they suffice. */
function writtenValue(type: ParquetType, text: string): unknown {
  switch (type.kind) {
    case 'uuid':
      return text;
    case 'json':
      return JSON.parse(text);
    case 'enum':
      return Buffer.from(text);
    case 'time':
      return Number(storedValue(type, text));
    default:
      return storedValue(type, text);
  }
}
