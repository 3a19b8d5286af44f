import { EtlError } from '../../errors.ts';
import { callOption, remedy } from '../../remedy.ts';
import { isFilledIn, readCorrected } from '../../load/quarantine/corrected-rows.ts';
import type { Quarantine } from '../../load/quarantine/quarantine.ts';
import { rewriteRejects } from '../../load/quarantine/rewrite-rejects.ts';
import type { StillBad } from '../../load/quarantine/stage-corrected.ts';
import type { LoadTask } from '../../load/unit-task.ts';
import type { LoadPlan } from '../../plan/plan-types.ts';
import { connectWorker } from '../../pool/connect-worker.ts';
import type { Connection } from '../../target/connect.ts';
import { documentIn } from '../../source/transform/input-of.ts';
import { unlockTables } from '../../target/run-record.ts';
import type { TargetTable } from '../../target/table.ts';
import { useSchemas } from '../../target/use-schemas.ts';
import { withConnection } from '../../target/with-connection.ts';
import { furtherNames, furtherTasks, holdTables, prepareFurther } from '../further-tables.ts';
import { openQuarantine, type LoadQuarantine } from '../load-quarantine.ts';
import { joinSignals } from '../join-signals.ts';
import { notLoaded } from '../load-report.ts';
import { prepareTable } from '../prepare-table.ts';
import type { RunContext } from '../run-context.ts';
import type { LoadEnd } from '../load-end.ts';
import { loadTask } from '../load-task.ts';
import { tidy } from '../tidy.ts';
import { loadedPlaces, neighbours, waitsIn, type LoadedPlace } from './loaded-places.ts';
import { reportRetry, type RetriedPart } from './report-retry.ts';
import { refuseOtherSources } from './refuse-other-sources.ts';
import { retryFiles } from './retry-files.ts';

/**
 * Loads the corrected rows of a load's reject files with the precedence of the files that they came
 * from: the table ends as if they had stood there, corrected, from the first. By one connection, since
 * people do not correct millions of rows.
 *
 * Files that were never loaded stay so; the next ordinary run is for them.
 */
export async function retryLoad(
  context: RunContext,
  load: LoadPlan,
  index: number,
): Promise<LoadEnd> {
  const { coordinator, onEvent } = context;
  onEvent({ kind: 'load-started', load: index, plan: load });
  if (load.table.oid === null) return { report: notLoaded(load), error: null };
  const table = await prepareTable(coordinator, load, () => undefined);
  const further = await prepareFurther(coordinator, load, () => undefined);
  await holdTables(context, [table, ...further], index);
  const { signal, release } = joinSignals(context.signal, coordinator.lost);
  try {
    await tidy(context, table, index);
    return await retryHeld({ ...context, signal }, load, index, [table, ...further]);
  } catch (error) {
    // Whatever breaks once the run is interrupted, breaks because of it.
    if (context.signal.aborted) return { report: notLoaded(load), error: null };
    throw error;
  } finally {
    release();
    if (coordinator.usable()) await unlockTables(coordinator);
    onEvent({ kind: 'load-finished', load: index });
  }
}

async function retryHeld(
  context: RunContext,
  load: LoadPlan,
  index: number,
  [table, ...further]: readonly [TargetTable, ...TargetTable[]],
): Promise<LoadEnd> {
  const { coordinator, plan } = context;
  const places = await loadedPlaces(coordinator, plan, table);
  const waiting = places.filter((place) => waitsIn(place, load));
  tellUnloaded(context, load, index);
  if (waiting.length > 0) refuseShaped(load);
  await refuseOtherSources(coordinator, plan, load, waiting);
  const parts = await readParts(context, waiting, index);
  if (parts.every(({ rows }) => rows.length === 0)) return reportRetry(context, load, index, []);
  const settings = { ...plan.settings, onError: 'quarantine', maxErrors: null } as const;
  const quarantined = await openQuarantine({ ...plan, settings }, index, table.oid, coordinator);
  try {
    const connection = await connectWorker({ ...context.setup, tableOid: table.oid });
    return await withConnection(connection, context.signal, async () => {
      await useSchemas(
        connection,
        [table, ...further].flatMap(({ columns }) => columns),
      );
      const own = loadTask(context, load, table, quarantined);
      const ledger = { ...own.ledger, ...furtherNames(further) };
      const task = { ...own, ledger, ...furtherTasks(plan, load, further) };
      const retrying = { context, connection, load, table, task, quarantined };
      for (const group of sameColumns(parts)) await retryGroup(retrying, group);
      return reportRetry(context, load, index, parts);
    });
  } finally {
    await quarantined.close();
  }
}

/** Rows of one reject file, and what becomes of them. */
interface Part extends RetriedPart {
  readonly known: LoadedPlace;
}

async function readParts(
  { onEvent }: RunContext,
  waiting: readonly LoadedPlace[],
  index: number,
): Promise<Part[]> {
  const parts: Part[] = [];
  for (const known of waiting) {
    const { planned, reject, place } = known;
    if (planned === null || reject === null) continue;
    const rows = await readCorrected(planned.file, reject);
    if (rows === null) {
      const sentence = `${known.waiting} rows of ${planned.file.name} were rejected, and their reject file is gone: ${reject.rejectsPath}.`;
      onEvent({ kind: 'notice', load: index, sentence });
      continue;
    }
    parts.push({ known, place, file: planned.file, reject, rows, left: [...rows], merged: null });
  }
  return parts;
}

/** Files that bring the same columns, to all tables, are staged, and merged, together. */
function sameColumns(parts: readonly Part[]): Part[][] {
  const groups = new Map<string, Part[]>();
  for (const part of parts) {
    if (!part.rows.some(isFilledIn)) continue;
    const { targets, further = [] } = part.file;
    const brought = [targets, ...further].map((names) => names.filter((name) => name !== null));
    const columns = JSON.stringify(brought.map((names) => names.toSorted()));
    groups.set(columns, [...(groups.get(columns) ?? []), part]);
  }
  return [...groups.values()];
}

interface Retrying {
  readonly context: RunContext;
  readonly connection: Connection;
  readonly load: LoadPlan;
  readonly table: TargetTable;
  readonly task: LoadTask;
  readonly quarantined: LoadQuarantine;
}

/** What an earlier group has corrected counts for the next: so the places are read again for each. */
async function retryGroup(
  { context, connection, load, table, task, quarantined }: Retrying,
  group: readonly Part[],
): Promise<void> {
  const places = await loadedPlaces(connection, context.plan, table);
  const quarantine = quarantined.quarantine as Quarantine;
  const hooks = { signal: context.signal, news: () => undefined, now: () => performance.now() };
  const bad: StillBad = new Map();
  const retried = group.map((part) => ({ ...part, rows: part.rows.filter(isFilledIn) }));
  const merged = await retryFiles(
    { connection, plan: load, load: task, quarantine, hooks, neighbours: neighbours(places, load) },
    retried,
    bad,
  );
  for (const part of group) {
    const refused = bad.get(part.place);
    const left = part.rows.filter((row) => !isFilledIn(row) || refused?.has(row.record) === true);
    const told = left.map((row) => ({ row, bad: refused?.get(row.record) ?? null }));
    const { rejectsPath } = part.reject;
    await rewriteRejects(rejectsPath, quarantine.spoolPrefix, part.file, told);
    part.left = left;
  }
  const [first] = group;
  if (first !== undefined) first.merged = { ...merged, alone: group.length === 1 };
}

function tellUnloaded({ onEvent }: RunContext, { files }: LoadPlan, index: number): void {
  const fresh = files.filter((file) => file.skip === null);
  const [first] = fresh;
  if (first === undefined) return;
  const others = fresh.length === 1 ? ' is' : ` and ${fresh.length - 1} more are`;
  const sentence = `${first.name}${others} not loaded as they are now; a run without --retry-rejects loads them.`;
  onEvent({ kind: 'notice', load: index, sentence });
}

/**
 * What cannot be told from what the ledger has.
 *
 * Lookups with `set`: the created row was made of the first row of the load that named its value; had the
 * corrected one come before, it would be made of that, and other tables may have got its id since.
 *
 * A document is a row by itself: corrected, it is a file that has changed.
 */
function refuseShaped({ table, targets = [], files }: LoadPlan): void {
  const facts = { table: table.sqlName };
  const columns = [table, ...targets.map((target) => target.table)].flatMap((each) => each.columns);
  if (columns.some(({ lookup }) => lookup?.set !== undefined)) {
    throw new EtlError(
      'ETL_USAGE',
      'Corrected rows of a load whose lookups create rows of several columns (set) cannot be loaded in their place: what such a row is made of may be in another row by now.',
      remedy`Correct the input itself, and load it with ${callOption('force')}; or load the corrected rows as a file of their own.`,
      facts,
    );
  }
  if (files.every(({ description }) => documentIn(description) === null)) return;
  throw new EtlError(
    'ETL_USAGE',
    'A document that was rejected is corrected where it lies, not in a reject file.',
    remedy`Correct the document, and run the same command without ${callOption('retryRejects')}: it is a file that has changed.`,
    facts,
  );
}
