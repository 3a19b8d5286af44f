import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { present } from '../../src/assert.ts';
import type { Format } from '../scenario.ts';
import { csvChunks } from './write-csv.ts';
import { writeParquet } from './write-parquet.ts';
import type { Shape } from './shape.ts';

export interface WrittenFiles {
  /** Absolute paths, in order of precedence, which is that of their names, too. */
  readonly paths: readonly string[];
  /** On disk. */
  readonly bytes: number;
}

/** Writes the files of a scenario, in these formats by turns, into a folder that is made. */
export async function writeFiles(
  shape: Shape,
  formats: readonly Format[],
  folder: string,
  signal: AbortSignal,
): Promise<WrittenFiles> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  let bytes = 0;
  for (let file = 0; file < shape.files; file++) {
    signal.throwIfAborted();
    const format = present(formats[file % formats.length], 'a format');
    const path = join(folder, `part-${String(file).padStart(6, '0')}.${format}`);
    await writeFile(shape, file, format, path, signal);
    bytes += (await stat(path)).size;
    paths.push(path);
  }
  return { paths, bytes };
}

async function writeFile(
  shape: Shape,
  file: number,
  format: Format,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  switch (format) {
    case 'parquet':
      return writeParquet(shape, file, path, signal);
    case 'csv.gz':
      // One chunk ahead: a generator of buffers would otherwise be read sixteen ahead.
      return pipeline(
        Readable.from(csvChunks(shape, file), { highWaterMark: 1 }),
        createGzip(),
        createWriteStream(path),
        { signal },
      );
    case 'csv': {
      const stream = createWriteStream(path);
      const closed = once(stream, 'close', { signal });
      for (const chunk of csvChunks(shape, file)) {
        if (!stream.write(chunk)) await Promise.race([once(stream, 'drain', { signal }), closed]);
      }
      stream.end();
      await closed;
    }
  }
}
