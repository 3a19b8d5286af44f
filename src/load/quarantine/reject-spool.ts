import { createReadStream } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { LIMITS } from '../../limits.ts';
import { refuseFolder } from './reject-folder.ts';

/** A row that was rejected: where it is, and why. */
export interface RejectedRow {
  /** Ordinal of the file in the load. */
  readonly file: number;
  /** 1-based number of the row in its file. */
  readonly record: number;
  /** As the file calls it. */
  readonly column: string | null;
  readonly sqlState: string | null;
  readonly reason: string;
}

/**
 * Keeps rejected rows on disk until their reject file is written: a file may have millions. They
 * are to be added in order of file and row; so several spools are merged without holding them.
 */
export interface RejectSpool {
  add(row: RejectedRow): Promise<void>;
  /** Rows of the file that were added. */
  rejectedOf(file: number): number;
  /** Paths of what was written: one, or none where nothing was added. */
  close(): Promise<readonly string[]>;
}

/** Nothing is made before the first row; what an earlier try has left under the name is replaced. */
export function createSpool(path: string): RejectSpool {
  let file: FileHandle | null = null;
  let lines: string[] = [];
  let length = 0;
  const counts = new Map<number, number>();
  const flush = async (): Promise<void> => {
    if (lines.length === 0) return;
    try {
      if (file === null) {
        await rm(path, { force: true });
        // Whoever put a link there must not have us write where it leads.
        file = await open(path, 'wx', 0o600);
      }
      await file.writeFile(lines.join(''));
    } catch (error) {
      throw refuseFolder(path, error);
    }
    lines = [];
    length = 0;
  };
  return {
    add: async (row) => {
      counts.set(row.file, (counts.get(row.file) ?? 0) + 1);
      const reason = row.reason.slice(0, LIMITS.rejectReasonMax);
      const line = `${JSON.stringify({ ...row, reason })}\n`;
      lines.push(line);
      length += line.length;
      if (length >= LIMITS.groupBlockBytes) await flush();
    },
    rejectedOf: (file) => counts.get(file) ?? 0,
    close: async () => {
      await flush();
      if (file === null) return [];
      await file.close();
      return [path];
    },
  };
}

/** The rows of one file among all spools, in their order. */
export async function* spooledRows(
  spools: readonly string[],
  file: number,
): AsyncGenerator<RejectedRow> {
  const readers = spools.map((path) => rowsOf(path, file));
  try {
    const heads = await Promise.all(readers.map((reader) => reader.next()));
    for (;;) {
      let first = -1;
      for (const [index, head] of heads.entries()) {
        if (head.done === true) continue;
        const best = heads[first];
        if (best?.done !== false || head.value.record < best.value.record) first = index;
      }
      const head = heads[first];
      const reader = readers[first];
      if (head?.done !== false || reader === undefined) return;
      yield head.value;
      heads[first] = await reader.next();
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.return(undefined)));
  }
}

async function* rowsOf(path: string, file: number): AsyncGenerator<RejectedRow, undefined> {
  const input = createReadStream(path);
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      const row = JSON.parse(line) as RejectedRow;
      if (row.file === file) yield row;
      if (row.file > file) return;
    }
  } finally {
    input.destroy();
  }
}
