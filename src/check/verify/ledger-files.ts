import { present } from '../../assert.ts';
import { siftFile } from '../../load/quarantine/sift-file.ts';
import { isRowFaultError } from '../../load/quarantine/quarantine.ts';
import type { RejectSpool } from '../../load/quarantine/reject-spool.ts';
import type { CopyTarget } from '../../load/copy-target.ts';
import { stageFile } from '../../load/stage-file.ts';
import type { StageOptions } from '../../load/stage-options.ts';
import type { StagedFile } from '../../load/unit-task.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { Connection } from '../../target/connect.ts';
import { loadedFiles } from '../../target/ledger.ts';
import { readRejectRecords, type RejectRecord } from '../../target/reject-record.ts';
import { deleteRejected } from '../../target/settled-rows.ts';
import { deleteStaged, type StagingTable } from '../../target/staging.ts';
import type { VerifiedLoad } from './comparisons.ts';

/** What the ledger knows of the files of one load. */
export interface LedgerFiles {
  readonly schema: string;
  /** The table under which it keeps them: the load's own, also for what further tables take. */
  readonly tableOid: number;
  /** Of their content, when they were loaded; by path. */
  readonly hashes: ReadonlyMap<string, string>;
  /** By path, of the files that are as they were when rows of them were rejected. */
  readonly rejects: ReadonlyMap<string, RejectRecord>;
  /** Paths of files with rejected rows of which it does not tell, or not to this role, which ones. */
  readonly untold: ReadonlySet<string>;
}

export async function findLedgerFiles(
  connection: Connection,
  schema: string,
  { ledgerOid, files }: VerifiedLoad,
): Promise<LedgerFiles> {
  const tableOid = present(ledgerOid, 'the table of the ledger');
  const paths = files.map(({ path }) => path);
  const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]));
  const loaded = await loadedFiles(connection, schema, tableOid, { paths });
  const bad = loaded.filter(
    ({ path, bytes, rejected }) => rejected > 0 && sizes.get(path) === bytes,
  );
  const found =
    bad.length === 0 ? null : await readRejectRecords(connection, schema, tableOid, bad);
  const rejects = found ?? new Map<string, RejectRecord>();
  return {
    ...{ schema, tableOid, rejects },
    hashes: new Map(loaded.map(({ path, contentHash }) => [path, contentHash])),
    untold: new Set(bad.map(({ path }) => path).filter((path) => !rejects.has(path))),
  };
}

/** Stages the rows of the file that were not rejected when it was loaded. */
export async function stageWithoutRejected(
  connection: Connection,
  file: FilePlan,
  into: { readonly table: StagingTable; readonly target: CopyTarget },
  reject: RejectRecord,
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
  await deleteRejected(connection, table, reject);
  return staged;
}

/** The ledger knows them already. */
const FORGETFUL: RejectSpool = {
  add: async () => undefined,
  rejectedOf: () => 0,
  close: async () => [],
};
