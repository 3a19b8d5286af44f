import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import type { ParquetType } from '../../src/source/source-file.ts';
import { TYPE, counted, repeated, storedValue, timestamp } from './corpus-columns.ts';
import type { CorpusColumn, CorpusFile } from './corpus-columns.ts';

/** As far as this tool uses parquetjs-lite, which brings no types. */
interface ParquetJs {
  readonly ParquetSchema: new (fields: object) => object;
  readonly ParquetWriter: {
    openStream(
      schema: object,
      stream: Writable,
      options: object,
    ): Promise<{ appendRow(row: object): Promise<void>; close(): Promise<void> }>;
  };
}

const parquetjs = createRequire(import.meta.url)('parquetjs-lite') as ParquetJs;

/** Files of parquetjs-lite, as users of Node.js write them. */
export async function parquetjsFiles(): Promise<CorpusFile[]> {
  return [
    await parquetjsFile('parquetjs-gzip', 'GZIP', 60),
    await parquetjsFile('parquetjs-snappy', 'SNAPPY', 40),
    await parquetjsFile('parquetjs-uncompressed', 'UNCOMPRESSED', 1000),
  ];
}

type PlainColumn = CorpusColumn & { readonly written: string };

const STAMPS = ['1970-01-01 00:00:00+00', '2024-02-29 12:34:56.789+00'];

function parquetjsColumns(rows: number): PlainColumn[] {
  const column = (name: string, type: ParquetType, written: string, ...texts: string[]) => ({
    name,
    type,
    written,
    texts: repeated(rows, ...texts),
  });
  return [
    { name: 'id', type: TYPE.int64, written: 'INT64', texts: counted(rows, (row) => String(row)) },
    column('i32', TYPE.int32, 'INT32', '-2147483648', '2147483647', '0'),
    column('f64', TYPE.double, 'DOUBLE', '7712.48', '-0.1', '1e+15'),
    column('f32', TYPE.float, 'FLOAT', '1.5', '0.1'),
    column('flag', TYPE.boolean, 'BOOLEAN', 'true', 'false'),
    column('name', TYPE.string, 'UTF8', 'plain', 'Zürich', '東京'),
    column('raw', TYPE.binary, 'BYTE_ARRAY', '\\x00ff', '\\xdeadbeef'),
    column('day', TYPE.date, 'DATE', '1970-01-01', '2024-02-29'),
    column('millis', timestamp('ms', true), 'TIMESTAMP_MILLIS', ...STAMPS),
    column('micros', timestamp('us', true), 'TIMESTAMP_MICROS', ...STAMPS),
    column('document', TYPE.json, 'JSON', '{"a":[1,2.5,null]}', '"text"'),
  ];
}

async function parquetjsFile(
  name: string,
  compression: string,
  rowGroupSize: number,
): Promise<CorpusFile> {
  const rows = 80;
  const columns = parquetjsColumns(rows);
  const fields = columns.map(({ name: field, written }) => [
    field,
    { type: written, optional: true, compression },
  ]);
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const schema = new parquetjs.ParquetSchema(Object.fromEntries(fields) as object);
  const writer = await parquetjs.ParquetWriter.openStream(schema, stream, { rowGroupSize });
  for (let row = 0; row < rows; row++) {
    const values = columns.flatMap(({ name: field, type, texts }) => {
      const text = texts[row] ?? null;
      return text === null ? [] : [[field, writtenValue(type, text)]];
    });
    await writer.appendRow(Object.fromEntries(values) as object);
  }
  await writer.close();
  const plain = columns.map(({ name: column, type, texts }) => ({ name: column, type, texts }));
  return { name, columns: plain, bytes: Buffer.concat(chunks) };
}

function writtenValue(type: ParquetType, text: string): unknown {
  switch (type.kind) {
    case 'integer':
      return Number(text);
    case 'timestamp': {
      const stored = storedValue(type, text) as bigint;
      return type.unit === 'ms' ? Number(stored) : stored;
    }
    case 'json':
      return JSON.parse(text);
    default:
      return storedValue(type, text);
  }
}
