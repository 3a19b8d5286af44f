import { present } from '../../assert.ts';
import { errorRecordOf } from '../../errors.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import { castColumns, takeBadCasts } from '../../target/bad-cast.ts';
import type { Connection } from '../../target/connect.ts';
import type { StagingTable } from '../../target/staging.ts';
import { isRowFault, refuseTooMany, type Quarantine } from './quarantine.ts';
import { rejectFileOf, writeRejectFile } from './reject-file.ts';
import { createSpool, type RejectSpool } from './reject-spool.ts';
import { siftDocuments } from './sift-documents.ts';
import { siftFile } from './sift-file.ts';
import type { StagedDocuments } from '../copy-documents.ts';
import type { DocumentHooks } from '../document-batch.ts';
import type { CopyTarget } from '../copy-target.ts';
import type { FileFailure } from '../unit-session.ts';
import type { StagedFile, UnitHooks, UnitTask } from '../unit-task.ts';

/** The staging of a unit that goes on without its bad rows. */
export interface QuarantinedStaging {
  /**
   * Stages the file again, its rows taken back, where `error` is about its rows; else throws it. Null:
   * nothing has been tried yet.
   */
  sift(file: FilePlan, target: CopyTarget, error: unknown): Promise<StagedFile>;
  /** The same of all documents of a unit. */
  siftDocuments(
    files: readonly FilePlan[],
    table: StagingTable,
    target: CopyTarget,
    hooks: DocumentHooks,
  ): Promise<StagedDocuments>;
  /** Takes out the rows with a value that the merge could not cast. */
  rejectBadCasts(staged: StagedFile, table: StagingTable, target: CopyTarget): Promise<StagedFile>;
  /** The files with their spools; and the reject file of one that failed for having too many. */
  end(staged: readonly StagedFile[], failure: FileFailure | null): Promise<StagedFile[]>;
}

export function quarantinedStaging(
  connection: Connection,
  task: UnitTask,
  quarantine: Quarantine,
  hooks: UnitHooks,
): QuarantinedStaging {
  const pathOf = (kind: string): string => `${quarantine.spoolPrefix}u${task.unit}-${kind}`;
  // Each holds the rows of a file in their order, so the casts, which come later, have their own.
  const sifted = createSpool(pathOf('sifted'));
  const cast = createSpool(pathOf('cast'));
  const { subBatchSize } = task.load;
  return {
    sift: async (file, target, error) => {
      const fault: unknown = error;
      if (error !== null && !isRowFault(errorRecordOf(error))) throw fault;
      const { part } = task;
      return siftFile(connection, file, target, {
        ...hooks,
        quarantine,
        spool: sifted,
        subBatchSize,
        part,
      });
    },
    siftDocuments: (files, table, target, documentHooks) =>
      siftDocuments(connection, files, table, target, {
        ...documentHooks,
        ...{ spool: sifted, castSpool: cast, quarantine },
      }),
    rejectBadCasts: (staged, table, target) =>
      rejectBadCasts(connection, staged, table, target, quarantine, cast),
    end: async (staged, failure) => {
      const spools = [...(await sifted.close()), ...(await cast.close())];
      const tooMany = failure?.error.code === 'ETL_LIMIT' ? failure.file : null;
      const rejected = tooMany === null ? 0 : sifted.rejectedOf(tooMany) + cast.rejectedOf(tooMany);
      if (rejected > 0) {
        const file = present(
          task.files.find(({ ordinal }) => ordinal === tooMany),
          'the file with too many bad rows',
        );
        const refused = rejectFileOf(task.rejectPaths, pathOf('file'), {
          file,
          rejected,
          spools,
          sifted: true,
        });
        await writeRejectFile(refused, hooks.signal);
      }
      return staged.map((file) => (file.rejected === 0 ? file : { ...file, spools }));
    },
  };
}

async function rejectBadCasts(
  connection: Connection,
  staged: StagedFile,
  table: StagingTable,
  { layout, columnName }: CopyTarget,
  { maxErrors }: Quarantine,
  spool: RejectSpool,
): Promise<StagedFile> {
  const casts = castColumns(table, layout.copyColumns);
  if (casts.length === 0) return staged;
  const { file } = staged;
  const ordinal = table.fileColumn ? file.ordinal : null;
  let { rejected } = staged;
  for (;;) {
    const bad = await takeBadCasts(connection, table, casts, ordinal);
    if (bad.length === 0) break;
    for (const { row, column, error } of bad) {
      const { sentence, facts } = error.record;
      const place = { file: file.ordinal, record: row, column: columnName(column) };
      await spool.add({ ...place, sqlState: facts.sqlState ?? null, reason: sentence });
      rejected++;
      refuseTooMany(maxErrors, file.name, rejected, null);
    }
  }
  refuseTooMany(maxErrors, file.name, rejected, staged.rows);
  return { ...staged, rejected, staged: staged.rows - rejected };
}
