import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { castColumns, findBadCast } from '../target/bad-cast.ts';
import type { Connection } from '../target/connect.ts';
import { deleteStaged, type StagingTable } from '../target/staging.ts';
import { copyDocuments, type StagedDocuments } from './copy-documents.ts';
import { fileFailure } from './file-failure.ts';
import type { DocumentHooks } from './document-batch.ts';
import { isRowFault } from './quarantine/quarantine.ts';
import type { QuarantinedStaging } from './quarantine/stage-quarantined.ts';
import type { CopyTarget } from './copy-target.ts';
import { stagedDocuments } from './staged-documents.ts';
import type { FileFailure } from './unit-session.ts';

/**
 * Stages the documents of a unit. Where one is bad, those before it are staged again, without it and
 * those behind it; with a quarantine all are, without the bad ones alone. With a transform, too, they are
 * sifted at once then, so that none goes through it twice.
 */
export async function stageDocuments(
  connection: Connection,
  files: readonly FilePlan[],
  table: StagingTable,
  target: CopyTarget,
  options: DocumentHooks & { readonly quarantined: QuarantinedStaging | null },
): Promise<StagedDocuments> {
  const { quarantined, signal } = options;
  if (quarantined !== null && files[0]?.description.kind === 'transformed') {
    return quarantined.siftDocuments(files, table, target, options);
  }
  let failure: FileFailure | null = null;
  for (let good = files; good.length > 0;) {
    const tried = await tryDocuments(connection, good, table, target, options);
    if ('staged' in tried) return { staged: tried.staged, failure };
    const place = tried.place ?? 0;
    const failed = fileFailure(present(good[place], 'a document').ordinal, tried.error, signal);
    await deleteStaged(connection, table, null);
    if (quarantined !== null && isRowFault(failed.error)) {
      const sifted = await quarantined.siftDocuments(good, table, target, options);
      return { staged: sifted.staged, failure: sifted.failure ?? failure };
    }
    failure = failed;
    good = good.slice(0, place);
  }
  return { staged: [], failure };
}

interface Refused {
  /** Null: which of them is not known. */
  readonly place: number | null;
  readonly error: unknown;
}

async function tryDocuments(
  connection: Connection,
  files: readonly FilePlan[],
  table: StagingTable,
  target: CopyTarget,
  hooks: DocumentHooks,
): Promise<Pick<StagedDocuments, 'staged'> | Refused> {
  const copied = await copyDocuments(connection, files, target, hooks);
  if (copied.kind === 'refused') return copied;
  const casts = castColumns(table, target.layout.copyColumns);
  const bad = casts.length === 0 ? null : await findBadCast(connection, table, casts, null);
  if (bad === null) return { staged: [...stagedDocuments(files, copied.hashes)] };
  const { code, sentence, remedy, facts } = bad.error.record;
  const place = bad.row - 1;
  const column = target.columnName(bad.column);
  const where = { file: present(files[place], 'a document').name, value: bad.value };
  const told = { ...facts, ...where, ...(column === null ? {} : { column }) };
  return { place, error: new EtlError(code, sentence, remedy, told, { cause: bad.error }) };
}
