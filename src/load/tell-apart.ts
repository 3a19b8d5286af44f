import type { Connection } from '../target/connect.ts';
import type { StagingTable } from '../target/staging.ts';
import { tellFilesApart } from '../target/tell-files-apart.ts';
import type { StagedFile } from './unit-task.ts';

/** Small files that one COPY brought are staged under the first one's ordinal. */
export async function tellApart(
  connection: Connection,
  table: StagingTable,
  staged: readonly StagedFile[],
): Promise<void> {
  const copies = new Map<number, StagedFile[]>();
  for (const file of staged) {
    const together = copies.get(file.stagedAs);
    if (together === undefined) copies.set(file.stagedAs, [file]);
    else together.push(file);
  }
  for (const files of copies.values()) {
    if (files.length < 2) continue;
    const rows = files.map((file) => ({ ordinal: file.file.ordinal, rows: file.staged }));
    await tellFilesApart(connection, table, rows);
  }
}
