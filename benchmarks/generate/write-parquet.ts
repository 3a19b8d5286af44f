import { createRequire } from 'node:module';
import { columnsOf, seedRow, type Column, type RowSeed } from './columns.ts';
import { keyAt, placeOfRow, versionAt, type Shape } from './shape.ts';

/** As far as it is used here; parquetjs-lite brings no types. */
interface ParquetJs {
  readonly ParquetSchema: new (fields: object) => object;
  readonly ParquetWriter: {
    openFile(schema: object, path: string, options: object): Promise<ParquetWriter>;
  };
}

interface ParquetWriter {
  appendRow(row: object): Promise<void>;
  close(): Promise<void>;
}

const ROWS_OF_GROUP = 100_000;

/** parquetjs-lite takes about 8 µs a row of eight columns. */
export async function writeParquet(
  shape: Shape,
  file: number,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  // Loaded when needed: it takes longer than everything else here together.
  const parquetjs = createRequire(import.meta.url)('parquetjs-lite') as ParquetJs;
  const columns = columnsOf(shape.scenario);
  const schema = new parquetjs.ParquetSchema(Object.fromEntries(columns.map(fieldOf)));
  const options = { rowGroupSize: ROWS_OF_GROUP };
  const writer = await parquetjs.ParquetWriter.openFile(schema, path, options);
  const place = placeOfRow(shape, file);
  const seed: RowSeed = { base: 0, keyMix: 0, mixed: 0, version: 0 };
  for (let row = 0; row < shape.rowsPerFile; row++) {
    if (row % ROWS_OF_GROUP === 0) signal.throwIfAborted();
    const here = place(row);
    seedRow(seed, shape, keyAt(shape, file, here), versionAt(shape, file, here));
    const values: Record<string, unknown> = {};
    for (const column of columns) values[column.name] = column.value(seed);
    await writer.appendRow(values);
  }
  await writer.close();
}

/** Only the key's smallest and largest value are of use to a reader; for others they cost time. */
function fieldOf({ name, parquetType, nullable, key }: Column): [string, object] {
  const field = { type: parquetType, optional: nullable, compression: 'SNAPPY', statistics: key };
  return [name, field];
}
