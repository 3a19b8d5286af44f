import { siftFile } from '../../load/quarantine/sift-file.ts';
import { isRowFaultError } from '../../load/quarantine/quarantine.ts';
import type { RejectSpool } from '../../load/quarantine/reject-spool.ts';
import { stageFile, type CopyTarget, type StageOptions } from '../../load/stage-file.ts';
import type { StagedFile } from '../../load/unit-task.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { Connection } from '../../target/connect.ts';
import { loadedFiles } from '../../target/ledger.ts';
import { readRejectRecords, type RejectRecord } from '../../target/reject-record.ts';
import { settleRejected } from '../../target/settled-rows.ts';
import { deleteStaged, type StagingTable } from '../../target/staging.ts';
import type { TargetColumn } from '../../target/table.ts';

/** The ledger, as far as it knows of rejected rows. */
export interface RejectedFiles {
  readonly schema: string;
  readonly tableOid: number;
  /** By path, of the files that are as they were when rows of them were rejected. */
  readonly records: ReadonlyMap<string, RejectRecord>;
  /** Files with rejected rows of which the ledger does not tell, or not to this role, which ones. */
  readonly unknown: readonly string[];
}

export async function findRejected(
  connection: Connection,
  schema: string,
  tableOid: number,
  files: readonly FilePlan[],
): Promise<RejectedFiles> {
  const paths = files.map(({ path }) => path);
  const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]));
  const loaded = await loadedFiles(connection, schema, tableOid, paths);
  const bad = loaded.filter(
    ({ path, bytes, rejected }) => rejected > 0 && sizes.get(path) === bytes,
  );
  const found =
    bad.length === 0 ? null : await readRejectRecords(connection, schema, tableOid, bad);
  const records = found ?? new Map<string, RejectRecord>();
  const unknown = bad.map(({ path }) => path).filter((path) => !records.has(path));
  return { schema, tableOid, records, unknown };
}

/** Stages what the load of the file has left in the table: see settleRejected. */
export async function stageWithoutRejected(
  connection: Connection,
  file: FilePlan,
  columns: readonly TargetColumn[],
  into: { readonly table: StagingTable; readonly target: CopyTarget },
  { rejects, reject }: { readonly rejects: RejectedFiles; readonly reject: RejectRecord },
  options: StageOptions,
): Promise<StagedFile> {
  const { table, target } = into;
  // The job that is verified need not say again that its bad rows are put aside.
  const ofRows = { ...file, badBytes: 'of a row' } as const;
  const whole = { ...options, quarantined: true };
  const staged = await stageFile(connection, ofRows, target, whole).catch(
    async (error: unknown) => {
      if (!isRowFaultError(error)) throw error;
      await deleteStaged(connection, table, null);
      const quarantine = { folder: '', spoolPrefix: '', maxErrors: null, began: '' };
      const { subBatchSize } = options;
      const sifting = { ...options, quarantine, spool: FORGETFUL, subBatchSize, part: undefined };
      return siftFile(connection, ofRows, target, sifting);
    },
  );
  await settleRejected(connection, table, columns, reject, rejects);
  return staged;
}

/** The ledger knows them already. */
const FORGETFUL: RejectSpool = {
  add: async () => undefined,
  rejectedOf: () => 0,
  close: async () => [],
};
