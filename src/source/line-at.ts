import { decompressed } from './compression.ts';
import { countByte } from './csv/data-chunks.ts';
import type { SourceFile } from './source-file.ts';

/** 1-based line of an offset in the decompressed file. Reads the file again: errors may be slow. */
export async function lineAt(file: SourceFile, offset: number): Promise<number> {
  let before = 0;
  let lineFeeds = 0;
  let carriageReturns = 0;
  for await (const chunk of decompressed(file).chunks) {
    const bytes = chunk.subarray(0, offset - before);
    lineFeeds += countByte(bytes, 10);
    carriageReturns += countByte(bytes, 13);
    before += bytes.length;
    if (before === offset) break;
  }
  return 1 + (lineFeeds || carriageReturns);
}
