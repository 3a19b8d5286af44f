import { maxErrorsOf, type Quarantine } from '../load/quarantine/quarantine.ts';
import {
  findSpools,
  prepareRejectFolder,
  rejectPaths,
  removeEmptyFolders,
  removeSpools,
  spoolPrefix,
} from '../load/quarantine/reject-folder.ts';
import type { Plan } from '../plan/plan-types.ts';
import type { Connection } from '../target/connect.ts';
import { forgetRejects, readHorizon } from '../target/reject-record.ts';

/** Where the bad rows of one load go. */
export interface LoadQuarantine {
  /** Null: a bad row stops its file. */
  readonly quarantine: Quarantine | null;
  /** Paths of the reject files, by ordinal of the file; empty without a quarantine. */
  readonly rejectPaths: ReadonlyMap<number, string>;
  /** Leaves nothing in the folder but reject files, and no folder that has none. */
  close(): Promise<void>;
}

/** @throws EtlError ETL_USAGE where the folder cannot be written, before anything is loaded */
export async function openQuarantine(
  { settings, server, loads }: Pick<Plan, 'settings' | 'server' | 'loads'>,
  index: number,
  tableOid: number,
  coordinator: Connection,
): Promise<LoadQuarantine> {
  if (settings.onError === 'stop') {
    return { quarantine: null, rejectPaths: new Map(), close: () => Promise.resolve() };
  }
  const folder = settings.rejects;
  const made = await prepareRejectFolder(folder);
  const prefix = spoolPrefixOf({ settings, server }, tableOid);
  await removeSpools(prefix);
  await forgetRejects(coordinator, settings.ledgerSchema, tableOid);
  const began = await readHorizon(coordinator);
  // No two loads of a run may take the same names.
  const taken = new Set<string>();
  const paths = loads.slice(0, index + 1).map((load) => rejectPaths(folder, load.files, taken));
  return {
    quarantine: { folder, spoolPrefix: prefix, maxErrors: maxErrorsOf(settings.maxErrors), began },
    rejectPaths: paths[index] ?? new Map<number, string>(),
    close: async () => {
      await removeSpools(prefix);
      await removeEmptyFolders(made);
    },
  };
}

function spoolPrefixOf(
  { settings, server }: Pick<Plan, 'settings' | 'server'>,
  tableOid: number,
): string {
  return spoolPrefix(settings.rejects, `${server.address} ${server.database}`, tableOid);
}

/** Null: a load of the table that was cut off has left no spools; else removes them. */
export async function leftSpools(
  plan: Pick<Plan, 'settings' | 'server'>,
  tableOid: number,
): Promise<(() => Promise<void>) | null> {
  if (plan.settings.onError === 'stop') return null;
  const prefix = spoolPrefixOf(plan, tableOid);
  return (await findSpools(prefix)).length === 0 ? null : () => removeSpools(prefix);
}
