import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { csvSchema } from '../../../src/job/schema.ts';
import type { CsvOptions } from '../../../src/job/schema.ts';
import { describeCsv } from '../../../src/source/csv/describe-csv.ts';
import { formatOfName } from '../../../src/source/file-format.ts';
import type { CsvDescription, SourceFile } from '../../../src/source/source-file.ts';

/** A folder that is removed after the test file that asked for it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'source-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function writeSource(folder: string, name: string, content: string | Buffer): SourceFile {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return sourceOf(file);
}

export function sourceOf(file: string): SourceFile {
  const name = path.basename(file);
  const kind = formatOfName(name);
  if ('sentence' in kind) throw new Error(`${name}: ${kind.sentence}`);
  const { size: bytes, mtimeMs } = statSync(file);
  return { path: file, name, ...kind, bytes, mtimeMs };
}

export function csvOptions(options: Partial<CsvOptions> = {}): CsvOptions {
  return csvSchema.parse(options);
}

export function described(
  file: SourceFile,
  options: Partial<CsvOptions> = {},
): Promise<CsvDescription> {
  return describeCsv(file, csvOptions(options));
}

export async function textOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  return (await bytesOf(chunks)).toString();
}

export async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  // Who reads the next chunk may do so into the memory of this one.
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}
