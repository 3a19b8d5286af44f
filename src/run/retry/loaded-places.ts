import { EtlError } from '../../errors.ts';
import type { FilePlan, LoadPlan, Plan } from '../../plan/plan-types.ts';
import { ledgerPath } from '../../source/ledger-path.ts';
import type { Connection } from '../../target/connect.ts';
import { filesInTable, type OrderedFile } from '../../target/loaded-order.ts';
import { countRecords } from '../../target/record-ranges.ts';
import { readRejectRecords, type RejectRecord } from '../../target/reject-record.ts';

/** A file of the table, in the order in which the files count: later runs behind earlier ones. */
export interface LoadedPlace {
  /** From 0. */
  readonly place: number;
  readonly path: string;
  /** Of the job; null where no load of it on this table names the file. */
  readonly planned: { readonly file: FilePlan; readonly load: LoadPlan } | null;
  readonly reject: RejectRecord | null;
  /** Rows of it that were rejected and not corrected yet. */
  readonly waiting: number;
}

/**
 * All files that the ledger says are in the table, with what was rejected of them.
 *
 * @throws EtlError ETL_PRIVILEGE where the ledger does not tell
 */
export async function loadedPlaces(
  connection: Connection,
  { loads, settings }: Pick<Plan, 'loads' | 'settings'>,
  table: { readonly oid: number; readonly sqlName: string },
): Promise<LoadedPlace[]> {
  const { ledgerSchema } = settings;
  const files = await filesInTable(connection, ledgerSchema, table.oid);
  const bad = files.filter(({ rejected }) => rejected > 0);
  const rejects = await readRejectRecords(connection, ledgerSchema, table.oid, bad);
  if (rejects === null && bad.length > 0) throw ledgerDoesNotTell(table.sqlName);
  const planned = new Map(
    loads.flatMap((load, index) =>
      load.table.oid === table.oid
        ? load.files.map((file) => [ledgerPath(file), { file, load, index }] as const)
        : [],
    ),
  );
  const indexOf = ({ path }: OrderedFile): number => planned.get(path)?.index ?? 0;
  return files
    .toSorted((a, b) => a.run - b.run || indexOf(a) - indexOf(b) || a.ordinal - b.ordinal)
    .map(({ path }, place) => {
      const reject = rejects?.get(path) ?? null;
      const waiting =
        reject === null ? 0 : countRecords(reject.records) - countRecords(reject.corrected);
      return { place, path, planned: planned.get(path) ?? null, reject, waiting };
    });
}

function ledgerDoesNotTell(table: string): EtlError {
  return new EtlError(
    'ETL_PRIVILEGE',
    `Which rows of the files of ${table} were rejected is not in the ledger, or may not be read.`,
    'Run as the role that owns the ledger; rows that an older version rejected are loaded as a file of their own.',
    { table },
  );
}

/**
 * The files on whose rows it depends what becomes of the corrected ones: those behind the first of
 * them, and with `ignore` those before it, too; none where all tables append. Each must be there as it
 * was loaded, since what it holds is read again.
 *
 * @throws EtlError ETL_FILE_CHANGED, ETL_USAGE
 */
export function neighbours(places: readonly LoadedPlace[], load: LoadPlan): LoadedPlace[] {
  const first = places.findIndex((each) => waitsIn(each, load));
  const policies = [load, ...(load.targets ?? [])].map(({ onConflict }) => onConflict);
  if (first < 0 || policies.every((policy) => policy === 'append')) return [];
  const needed = places.slice(policies.includes('ignore') ? 0 : first);
  for (const place of needed) refuseUnknown(place, load);
  return needed;
}

/** Whether rows of the file wait, and were rejected by this load. */
export function waitsIn({ waiting, planned }: LoadedPlace, load: LoadPlan): boolean {
  return waiting > 0 && planned?.load === load;
}

function refuseUnknown({ path, planned }: LoadedPlace, load: LoadPlan): void {
  const { sqlName } = load.table;
  if (planned === null) {
    throw new EtlError(
      'ETL_USAGE',
      `The file was loaded into ${sqlName}, too, and is not among the files of this job; so it cannot be told which of its rows come behind the corrected ones.`,
      'Name all files that were loaded into the table, or load the corrected rows as a file of their own.',
      { file: path, table: sqlName },
    );
  }
  if (planned.file.skip === null) {
    throw new EtlError(
      'ETL_FILE_CHANGED',
      `The file has changed since it was loaded into ${sqlName}, so its rows cannot be read again.`,
      'Put it back as it was, or load it as it is (etl run) before the corrected rows.',
      { file: planned.file.name, table: sqlName },
    );
  }
  const { key, onConflict, versionColumn } = planned.load;
  const same =
    key.join('\n') === load.key.join('\n') &&
    onConflict === load.onConflict &&
    versionColumn === load.versionColumn;
  const shared = (load.targets ?? []).find(
    ({ table, onConflict: policy }) => policy !== 'append' && writes(planned.load, table.oid),
  );
  if (planned.load !== load && shared !== undefined) {
    throw new EtlError(
      'ETL_USAGE',
      `The file came to ${shared.table.sqlName}, too, by another load of the job than the corrected rows.`,
      'Load the corrected rows as a file of their own.',
      { file: planned.file.name, table: shared.table.sqlName },
    );
  }
  if (same) return;
  throw new EtlError(
    'ETL_USAGE',
    `The file was loaded into ${sqlName} by another key or policy than the corrected rows were.`,
    'Load the corrected rows as a file of their own.',
    { file: planned.file.name, table: sqlName },
  );
}

/** Whether rows of the load go to the table. */
export function writes({ table, targets = [] }: LoadPlan, oid: number | null): boolean {
  return [table, ...targets.map((target) => target.table)].some((each) => each.oid === oid);
}
