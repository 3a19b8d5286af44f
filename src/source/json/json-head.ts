import { decompressed } from '../compression.ts';
import { inOneRead, isSmall } from '../in-one-read.ts';
import type { SourceFile } from '../source-file.ts';

/** The first bytes of a file, decompressed. */
export interface JsonHead {
  readonly bytes: Buffer;
  /** Whether they are all of the file. */
  readonly ended: boolean;
  /** Decompressed bytes for each byte on disk. */
  readonly ratio: number;
}

/** @throws EtlError what reading throws */
export async function readHead(file: SourceFile, bytesMax: number): Promise<JsonHead> {
  const small = isSmall(file);
  const source = small ? null : decompressed(file, { readBytes: Math.ceil(bytesMax / 128) });
  const chunks: Buffer[] = [];
  let length = 0;
  let ended = true;
  for await (const chunk of source?.chunks ?? inOneRead(file)) {
    chunks.push(chunk);
    length += chunk.length;
    ended = length <= bytesMax;
    if (!ended) break;
  }
  const onDisk = source === null ? file.bytes : source.bytesRead();
  const [first] = chunks;
  const bytes = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length);
  return { bytes, ended, ratio: length / Math.max(1, onDisk) };
}
