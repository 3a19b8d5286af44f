import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cannotWrite, EtlError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { badRow, type RejectedRow } from './bad-row.ts';
import { RowFault, rowText, type FieldKinds } from './row-text.ts';
import type { SpoolFile } from './spool-file.ts';

export interface WriterOptions {
  /** What the ledger calls the files: this, and their number. */
  readonly name: string;
  /** Whether a bad row is thrown, and not kept. */
  readonly stops: boolean;
  readonly fileRowsMax: number;
}

/** Writes rows into files of a folder, one line of JSON each. */
export class SpoolWriter {
  readonly kinds: FieldKinds = new Map();
  readonly rejected: RejectedRow[] = [];
  rejectedCount = 0;
  /** Rows that were added, bad or not. */
  rows = 0;
  readonly #folder: string;
  readonly #options: WriterOptions;
  readonly #files: SpoolFile[] = [];
  #handle: FileHandle | null = null;
  #lines: string[] = [];
  /** Characters of the lines, bytes of the file, and its records, those in the lines included. */
  #held = 0;
  #bytes = 0;
  #records = 0;
  #first = 0;
  #gaps: number[] = [];

  constructor(folder: string, options: WriterOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** A promise where something is written: until then there is no room for another row. */
  add(row: unknown): Promise<void> | null {
    const index = this.rows++;
    try {
      const line = rowText(row, this.kinds);
      this.#lines.push(line);
      this.#held += line.length;
      this.#records += 1;
    } catch (error) {
      if (!(error instanceof RowFault)) throw error;
      this.#reject(index, error);
    }
    const full = this.#records >= this.#options.fileRowsMax;
    return full || this.#held >= LIMITS.spoolBlockBytes ? this.#makeRoom(full) : null;
  }

  /** All files, in order. */
  async end(): Promise<readonly SpoolFile[]> {
    await this.#endFile();
    return this.#files;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
  }

  #reject(index: number, fault: RowFault): void {
    const rejected = { index, error: badRow(index, fault) };
    if (this.#options.stops) throw EtlError.fromRecord(rejected.error);
    this.rejectedCount += 1;
    if (this.rejected.length < LIMITS.rejectedRowsToldMax) this.rejected.push(rejected);
    this.#gaps.push(index);
  }

  async #makeRoom(full: boolean): Promise<void> {
    await this.#writeLines();
    if (full || this.#bytes >= LIMITS.spoolFileBytesMax) await this.#endFile();
  }

  async #writeLines(): Promise<void> {
    if (this.#lines.length === 0) return;
    const block = Buffer.from(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
    this.#held = 0;
    this.#bytes += block.length;
    try {
      this.#handle ??= await open(this.#path(), 'wx', 0o600);
      await this.#handle.writeFile(block);
    } catch (error) {
      throw unwritable(this.#folder, error);
    }
  }

  async #endFile(): Promise<void> {
    await this.#writeLines();
    if (this.#handle === null) return;
    await this.close();
    const path = this.#path();
    const { size, mtimeMs } = await stat(path);
    const recordedAs = `${this.#options.name}#${this.#files.length + 1}`;
    this.#files.push({
      file: {
        ...{ path, name: basename(path), format: 'jsonl', compression: 'none' },
        ...{ bytes: size, mtimeMs, recordedAs },
      },
      first: this.#first,
      gaps: this.#gaps,
    });
    this.#first = this.rows;
    this.#gaps = [];
    this.#records = 0;
    this.#bytes = 0;
  }

  #path(): string {
    return join(this.#folder, `rows-${this.#files.length + 1}.jsonl`);
  }
}

export function unwritable(folder: string, cause: unknown): EtlError {
  const advice = 'Give spoolFolder a folder with room and the right to write, or set TMPDIR.';
  return cannotWrite('Rows cannot be written to a temporary folder', advice, folder, cause);
}
