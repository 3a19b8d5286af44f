import { LIMITS } from '../limits.ts';
import type { Connection } from './connect.ts';
import { quoted } from './names.ts';

/** An entry, and the times of its file. */
export interface RetimedEntry {
  readonly runId: string;
  readonly path: string;
  readonly mtimeMs: number;
  readonly ctimeMs: number | undefined;
}

/**
 * Notes that files have other times than when they were loaded, and the same content: by one statement for
 * all. An entry that has gone meanwhile is none to be told.
 *
 * @param origins whether the ledger has a place for `ctimeMs`
 */
export async function retimeEntries(
  connection: Connection,
  table: { readonly schema: string; readonly tableOid: number; readonly origins: boolean },
  entries: readonly RetimedEntry[],
): Promise<void> {
  const ctime = table.origins ? ', ctime_ms = coalesce(e.ctime_ms, l.ctime_ms)' : '';
  for (let at = 0; at < entries.length; at += LIMITS.recordedFilesPerStatement) {
    const part = entries.slice(at, at + LIMITS.recordedFilesPerStatement);
    await connection.query(
      `update ${quoted(table.schema)}.ledger l set mtime_ms = e.mtime_ms${ctime}
         from json_to_recordset($2) as e (run_id text, path text, mtime_ms double precision,
              ctime_ms double precision)
        where l.run_id = e.run_id and l.table_oid = $1 and l.path = e.path`,
      [
        table.tableOid,
        JSON.stringify(
          part.map(({ runId, path, mtimeMs, ctimeMs }) => ({
            ...{ run_id: runId, path, mtime_ms: mtimeMs },
            ctime_ms: ctimeMs ?? null,
          })),
        ),
      ],
    );
  }
}
