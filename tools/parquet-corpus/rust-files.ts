import * as arrow from 'apache-arrow';
import * as wasm from 'parquet-wasm';
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

/** Files of the Arrow writer in Rust, which Polars, DataFusion and others share. */
export function rustFiles(): CorpusFile[] {
  const { Compression, Encoding, WriterVersion } = wasm;
  const builder = (): wasm.WriterPropertiesBuilder => new wasm.WriterPropertiesBuilder();
  const flat = flatColumns(80);
  const nested = nestedColumns(50);
  const ids = idColumns(250);
  return [
    rustFile('rust-zstd', flat, builder().setCompression(Compression.ZSTD).setMaxRowGroupSize(50)),
    rustFile(
      'rust-snappy-v2-small-pages',
      flat,
      builder()
        .setCompression(Compression.SNAPPY)
        .setWriterVersion(WriterVersion.V2)
        .setDictionaryEnabled(false)
        .setWriteBatchSize(8)
        .setDataPageSizeLimit(128),
    ),
    rustFile('rust-gzip', flat, builder().setCompression(Compression.GZIP)),
    rustFile(
      'rust-brotli-dictionary-overflow',
      ids,
      builder()
        .setCompression(Compression.BROTLI)
        .setDictionaryPageSizeLimit(256)
        .setWriteBatchSize(32)
        .setDataPageSizeLimit(512),
    ),
    rustFile(
      'rust-lz4-delta',
      ids,
      builder()
        .setCompression(Compression.LZ4_RAW)
        .setDictionaryEnabled(false)
        .setColumnEncoding('id', Encoding.DELTA_BINARY_PACKED)
        .setColumnEncoding('small', Encoding.DELTA_BINARY_PACKED)
        .setColumnEncoding('name', Encoding.DELTA_BYTE_ARRAY)
        .setColumnEncoding('code', Encoding.DELTA_LENGTH_BYTE_ARRAY)
        .setColumnEncoding('ratio', Encoding.BYTE_STREAM_SPLIT),
    ),
    rustFile('rust-empty', flatColumns(0), builder().setCompression(Compression.ZSTD)),
    rustFile('rust-nested', nested, builder().setCompression(Compression.ZSTD)),
    rustFile(
      'rust-nested-v2-small-pages',
      nested,
      builder()
        .setCompression(Compression.UNCOMPRESSED)
        .setWriterVersion(WriterVersion.V2)
        .setWriteBatchSize(4)
        .setDataPageSizeLimit(32)
        .setMaxRowGroupSize(25),
    ),
  ];
}

function flatColumns(rows: number): CorpusColumn[] {
  const column = (name: string, type: ParquetType, texts: readonly string[]): CorpusColumn => ({
    name,
    type,
    texts: repeated(rows, ...texts),
  });
  const zoned = TEXTS.timestampUs.map((text) => `${text}+00`);
  return [
    { name: 'id', type: TYPE.int64, texts: counted(rows, (row) => String(row - 3)) },
    column('flag', TYPE.boolean, TEXTS.boolean),
    column('i8', integer(8, true), TEXTS.int8),
    column('u8', integer(8, false), TEXTS.uint8),
    column('i16', integer(16, true), TEXTS.int16),
    column('u16', integer(16, false), TEXTS.uint16),
    column('i32', TYPE.int32, TEXTS.int32),
    column('u32', integer(32, false), TEXTS.uint32),
    column('i64', TYPE.int64, TEXTS.int64),
    column('u64', integer(64, false), TEXTS.uint64),
    column('f32', TYPE.float, TEXTS.float),
    column('f64', TYPE.double, TEXTS.double),
    column('price', decimal(9, 2), TEXTS.decimal2),
    column('huge', decimal(38, 10), TEXTS.decimal38),
    column('day', TYPE.date, TEXTS.date),
    column('clock', time('us', false), TEXTS.timeUs),
    column('local', timestamp('us', false), TEXTS.timestampUs),
    column('instant', timestamp('us', true), zoned),
    column('millis', timestamp('ms', false), TEXTS.timestampMs),
    column('nanos', timestamp('ns', false), TEXTS.timestampMs),
    column('name', TYPE.string, TEXTS.string),
    column('raw', TYPE.binary, TEXTS.binary),
  ];
}

function idColumns(rows: number): CorpusColumn[] {
  return [
    { name: 'id', type: TYPE.int64, texts: counted(rows, (row) => String(row * row * 7919 - 5)) },
    { name: 'small', type: TYPE.int32, texts: repeated(rows, ...TEXTS.int32, '17', '18', '19') },
    { name: 'name', type: TYPE.string, texts: counted(rows, (row) => `customer ${row % 97}`) },
    { name: 'code', type: TYPE.string, texts: repeated(rows, 'A', 'BB', '', 'CCC') },
    { name: 'ratio', type: TYPE.double, texts: counted(rows, (row) => String(row / 8)) },
  ];
}

function nestedColumns(rows: number): CorpusColumn[] {
  const list: ParquetType = { kind: 'list', element: TYPE.int32 };
  const matrix: ParquetType = { kind: 'list', element: { kind: 'list', element: TYPE.string } };
  const fields = [
    { name: 'city', type: TYPE.string, nullable: true },
    { name: 'lines', type: { kind: 'list', element: TYPE.string }, nullable: true },
  ] as const;
  return [
    { name: 'id', type: TYPE.int32, texts: counted(rows, String) },
    { name: 'numbers', type: list, texts: repeated(rows, '[1, null, 3]', '[]', '[null]', '[7]') },
    { name: 'matrix', type: matrix, texts: repeated(rows, '[["a"], [], null, ["b", null]]', '[]') },
    {
      name: 'address',
      type: { kind: 'struct', fields },
      texts: repeated(
        rows,
        '{"city": "Zürich", "lines": ["x", "y"]}',
        '{"city": null, "lines": null}',
        '{"city": "", "lines": []}',
      ),
    },
    {
      name: 'people',
      type: { kind: 'list', element: { kind: 'struct', fields } },
      texts: repeated(rows, '[{"city": "A", "lines": [null]}, null]', '[]'),
    },
    {
      name: 'scores',
      type: { kind: 'map', key: TYPE.string, value: TYPE.int32 },
      texts: repeated(rows, '{"b": 1, "a": null}', '{}', '{"2": 2, "1": 1}'),
    },
  ];
}

export function rustFile(
  name: string,
  columns: readonly CorpusColumn[],
  builder: wasm.WriterPropertiesBuilder,
): CorpusFile {
  const vectors = Object.fromEntries(
    columns.map(({ name: column, type, texts }) => {
      return [column, arrowVector(type, texts)];
    }),
  );
  const ipc = arrow.tableToIPC(new arrow.Table(vectors), 'stream');
  const properties = builder.setCreatedBy('corpus').build();
  return { name, columns, bytes: wasm.writeParquet(wasm.Table.fromIPCStream(ipc), properties) };
}

function arrowVector(type: ParquetType, texts: CorpusColumn['texts']): arrow.Vector {
  if (type.kind === 'timestamp') return timestampVector(type, texts);
  const values = texts.map((text) => (text === null ? null : arrowValue(type, text)));
  return arrow.vectorFromArray(values, arrowType(type));
}

/** Arrow's own builder takes milliseconds as numbers, so the memory is laid out here. */
function timestampVector(
  type: ParquetType & { kind: 'timestamp' },
  texts: CorpusColumn['texts'],
): arrow.Vector {
  const data = BigInt64Array.from(texts, (text) =>
    text === null ? 0n : (storedValue(type, text) as bigint),
  );
  const nullBitmap = new Uint8Array(Math.ceil(texts.length / 8));
  for (const [row, text] of texts.entries()) {
    if (text !== null) nullBitmap[row >> 3] = (nullBitmap[row >> 3] ?? 0) | (1 << (row & 7));
  }
  const nullCount = texts.filter((text) => text === null).length;
  const layout = { type: timestampType(type), length: texts.length, nullCount };
  return new arrow.Vector([arrow.makeData({ ...layout, nullBitmap, data })]);
}

function arrowType(type: ParquetType): arrow.DataType {
  switch (type.kind) {
    case 'boolean':
      return new arrow.Bool();
    case 'integer':
      return new arrow.Int(type.signed, type.bits);
    case 'float':
      return type.bits === 64 ? new arrow.Float64() : new arrow.Float32();
    case 'decimal':
      return new arrow.Decimal(type.scale, type.precision, 128);
    case 'date':
      return new arrow.DateDay();
    case 'time':
      return type.unit === 'ms' ? new arrow.TimeMillisecond() : new arrow.TimeMicrosecond();
    case 'timestamp':
      return timestampType(type);
    case 'binary':
      return new arrow.Binary();
    case 'list':
      return new arrow.List(new arrow.Field('item', arrowType(type.element), true));
    case 'struct':
      return new arrow.Struct(
        type.fields.map((field) => new arrow.Field(field.name, arrowType(field.type), true)),
      );
    case 'map': {
      const fields = [
        new arrow.Field('key', arrowType(type.key), false),
        new arrow.Field('value', arrowType(type.value), true),
      ];
      const entries = new arrow.Struct<{ key: arrow.DataType; value: arrow.DataType }>(
        fields as never,
      );
      return new arrow.Map_(new arrow.Field('entries', entries, false));
    }
    default:
      return new arrow.Utf8();
  }
}

function timestampType(type: ParquetType & { kind: 'timestamp' }): arrow.Timestamp {
  const zone = type.utc ? 'UTC' : null;
  if (type.unit === 'ms') return new arrow.TimestampMillisecond(zone);
  if (type.unit === 'us') return new arrow.TimestampMicrosecond(zone);
  return new arrow.TimestampNanosecond(zone);
}

function arrowValue(type: ParquetType, text: string): unknown {
  switch (type.kind) {
    case 'decimal': {
      const unscaled = BigInt.asUintN(128, storedValue(type, text) as bigint);
      return new Uint32Array(
        BigUint64Array.of(unscaled & 0xffffffffffffffffn, unscaled >> 64n).buffer,
      );
    }
    case 'date':
      return new Date(`${text}T00:00:00Z`);
    case 'list':
    case 'struct':
      return JSON.parse(text);
    case 'map':
      return new Map(
        // In the order of the text: JSON.parse would sort keys that look like integers.
        [...text.matchAll(/"(\w+)": (\w+)/g)].map(([, key, value]) => [
          key,
          JSON.parse(value ?? ''),
        ]),
      );
    default:
      return storedValue(type, text);
  }
}
