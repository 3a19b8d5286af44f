import { defineJob, plan, run, silentLog, type Report } from 'parallel-upsert';

/** What the original function was called with: files, table, key columns, headers. */
export interface UpsertCall {
  readonly databaseUrl: string;
  /** In order of precedence: of equal keys the row of the last file stays. */
  readonly files: readonly string[];
  readonly table: string;
  readonly keyColumns: readonly string[];
  /** Columns that each file must have, and that go to the table's columns of the same names. */
  readonly headers: readonly string[];
  readonly onProgress?: (rows: number) => void;
}

/** The whole conflict-aware processor as a function. Rejects with an error that says what to do. */
export async function upsertFiles(call: UpsertCall): Promise<Report> {
  const { databaseUrl, files, table, keyColumns, headers } = call;
  const job = defineJob({
    loads: [
      {
        files: [...files],
        order: 'listed',
        table,
        key: [...keyColumns],
        columns: Object.fromEntries(headers.map((name) => [name, name])),
      },
    ],
  });
  const planned = await plan(job, { databaseUrl, log: silentLog });
  const handle = run(planned, { databaseUrl, log: silentLog });
  let rows = 0;
  for await (const event of handle) {
    if (event.kind !== 'file-staged') continue;
    rows += event.rows;
    call.onProgress?.(rows);
  }
  const report = await handle.report;
  if (report.error !== null) throw new Error(report.error.sentence);
  return report;
}
