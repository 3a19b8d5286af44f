import { columnsOf, ROW_BYTES_MAX, seedRow, type RowSeed } from './columns.ts';
import { keyAt, placeOfRow, versionAt, type Shape } from './shape.ts';

const CHUNK_BYTES = 256 * 1024;

/** The bytes of one file, header included. */
export function* csvChunks(shape: Shape, file: number): Generator<Buffer> {
  const columns = columnsOf(shape.scenario);
  yield Buffer.from(`${columns.map((column) => column.name).join(',')}\n`);
  const last = columns.length - 1;
  const place = placeOfRow(shape, file);
  const seed: RowSeed = { base: 0, keyMix: 0, mixed: 0, version: 0 };
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let at = 0;
  const badAt = shape.scenario.badRow ? Math.floor(shape.rowsPerFile / 2) : -1;
  for (let row = 0; row < shape.rowsPerFile; row++) {
    if (row === badAt) at += buffer.write(`${columns.map(() => 'x').join(',')}\n`, at);
    const here = place(row);
    seedRow(seed, shape, keyAt(shape, file, here), versionAt(shape, file, here));
    for (let index = 0; index <= last; index++) {
      at = columns[index]?.write(buffer, at, seed) ?? at;
      buffer[at++] = index === last ? 0x0a : 0x2c;
    }
    if (at < CHUNK_BYTES - ROW_BYTES_MAX) continue;
    yield buffer.subarray(0, at);
    // Whoever took the last one may not have written it yet.
    buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    at = 0;
  }
  if (at > 0) yield buffer.subarray(0, at);
}
