import type { LoadRequest, Settings } from '../job/schema.ts';
import { columnPolicies } from './column-policies.ts';
import { workersFor } from './concurrency.ts';
import { brought } from './couplings.ts';
import { compressionNotices } from './kept-compression.ts';
import { dateOrderNotices } from './date-order.ts';
import { decideLoad, type Decided } from './decide-load.ts';
import { findDirectFiles, type DirectFiles } from './direct-units.ts';
import { describeFiles } from './describe-files.ts';
import { countText } from './figures.ts';
import { findTables, targetsOf, type FoundTables } from './find-tables.ts';
import { fingerprintOf } from './fingerprint.ts';
import { setLayoutKey } from './lookup-sets.ts';
import { mapToTables } from './map-to-tables.ts';
import type { PlanContext } from './plan-context.ts';
import { describeDocumentFiles, documentsIn } from './plan-documents.ts';
import { planFiles, type FilesIn } from './plan-files.ts';
import { indexNotices, planIndexes } from './plan-indexes.ts';
import { furtherMeaning, furtherNotices, targetPlans } from './plan-targets.ts';
import { severalTables } from './several-tables.ts';
import { planUnchanged, unchangedNotice, type PlannedUnchanged } from './plan-unchanged.ts';
import { sampleUnchanged } from './sample-unchanged.ts';
import { planTransform, transformNotices } from './plan-transform.ts';
import type { FilePlan, LoadPlan } from './plan-types.ts';
import { remadeNotices } from './remade-targets.ts';
import { findLoaded } from './skip-loaded.ts';
import type { CreatedTable, Target } from './target-table.ts';

/** Plans one load. `created`: the tables that earlier loads of the plan create. */
export async function planLoad(
  request: LoadRequest,
  settings: Settings,
  created: ReadonlyMap<string, CreatedTable>,
  context: PlanContext,
): Promise<LoadPlan> {
  const transform = await planTransform(request, context);
  const described =
    request.documents.path === null
      ? await describeFiles(request, context, transform)
      : await describeDocumentFiles(request, settings, context, transform);
  const tables = await findTables(request, described, transform, created, context);
  const { target, further } = tables;
  const { key, planned: table } = target;
  const meaning = furtherMeaning(further);
  const fingerprint = fingerprintOf(request, key, settings, transform, meaning);
  const files = described.map(({ file }) => file);
  const all = targetsOf(tables);
  const entries = { fingerprint, keyed: all.some(isKeyed), appends: !all.every(isKeyed) };
  const skipping = await findLoaded(files, target.existing, entries, context);
  const { loaded, earlier, retimed, realPaths } = skipping;
  const mapped = await mapToTables(request, described, tables, ({ file }) => loaded.has(file.path));
  const toSample = { described, loaded, earlier, retimed, realPaths, ...mapped.toPlan };
  const { sampled, unchanged } = await sampleLoad(request, settings, tables, toSample, context);
  const policies = columnPolicies(request, target, sampled.files);
  const indexes = await planIndexes(request.indexes, target, context);
  const workers = workersFor(settings, context);
  const several = await severalTables(target, further, sampled.files, context);
  const direct = several === null ? await findDirectFiles(target, sampled, context) : null;
  const dates = settings.conflictDetection
    ? await dateOrderNotices(target, sampled.files, context)
    : [];
  const places = { workers: workers.count, several, layoutKey: setLayoutKey(target) };
  const known = { ...sampled, direct, unchanged };
  const decided = decideLoad(request, settings, target, known, places, context);
  return {
    table,
    key,
    onConflict: request.onConflict,
    versionColumn: target.versionColumn,
    ...targetPlans(further),
    ...policies,
    ...(indexes.length === 0 ? {} : { indexes }),
    fingerprint,
    ...decided,
    ...(unchanged === null ? {} : { unchanged }),
    files: sampled.files,
    overlap: sampled.overlap,
    notices: [
      ...transformNotices(transform, settings.subBatchSize),
      ...target.notices,
      ...(await compressionNotices(request, target, sampled.files, context)),
      ...defaultsNotice(target, sampled.files),
      ...skipping.notices,
      ...mapped.own.notices,
      ...dates,
      ...furtherNotices(further, mapped.further, loaded),
      ...(await remadeNotices(further, loaded, context)),
      ...sampled.notices,
      ...workers.notices,
      ...shortcutNotices(decided, direct),
      ...(unchanged === null ? [] : [unchangedNotice(unchanged)]),
      ...indexNotices(indexes),
    ],
  };
}

/**
 * Samples the keys of the files, and compares some of their rows with the table: a load of one table
 * need not send those that it holds as they are.
 */
async function sampleLoad(
  request: LoadRequest,
  settings: Settings,
  { target, further }: FoundTables,
  toSample: FilesIn,
  context: PlanContext,
): Promise<PlannedUnchanged> {
  const { described, targets, loaded } = toSample;
  // A hundred thousand documents are not put together to hear that they are not compared.
  const comparable = documentsIn(described) === null ? described : [];
  const toCompare = comparable
    .filter(({ file }) => !loaded.has(file.path))
    .map(({ ordinal, file, description }) => {
      return { file, description, targets: targets[ordinal] ?? [] };
    });
  const seen =
    further.length > 0
      ? null
      : await sampleUnchanged(request, settings, target, toCompare, context);
  return planUnchanged(
    seen,
    target,
    (rowsPerFileMax) => planFiles({ ...toSample, rowsPerFileMax }, target, settings, context),
    context,
  );
}

function isKeyed({ key }: Target): boolean {
  return key.length > 0;
}

/** What the run will leave out because of what the sample says, and what if the sample errs. */
function shortcutNotices(decided: Decided, direct: DirectFiles | null): string[] {
  const { fillBeforeKey, dropSuperseded, units, directShares } = decided;
  return [
    ...directNotices(units, direct),
    ...(directShares === undefined
      ? []
      : [
          `The rows seem to be new, sorted, and above the keys of the table: ${countText(directShares.shares.length)} workers copy them into it at once without staging, each its own range of keys; if they are not, all are staged.`,
        ]),
    ...(fillBeforeKey
      ? [
          'The new table is filled before it gets its key; if a key comes twice after all, it is ' +
            'loaded through staging.',
        ]
      : []),
    ...(dropSuperseded
      ? [
          'CSV rows that another row supersedes are not sent to the server, so their values are not ' +
            'checked (checkSuperseded sends them).',
        ]
      : []),
  ];
}

function directNotices(units: Decided['units'], files: DirectFiles | null): string[] {
  const direct = units.filter((unit) => unit.direct !== undefined).length;
  if (direct === 0) return [];
  if (files?.distinct === true) {
    return [
      'The table is empty, and each document has a key of its own: they are copied into it without staging; units of work that find a key there after all are staged.',
    ];
  }
  return [
    units.length === 1
      ? 'The unit of work seems to bring new rows, sorted, above the keys of the table: they are copied into it without staging; if it does not, it is staged.'
      : `${countText(direct)} of ${countText(units.length)} units of work seem to bring new rows, sorted, above the keys of the table: they are copied into it without staging; one that does not is staged.`,
  ];
}

/** Numbers from a sequence go to rows in the order in which these happen to be written. */
function defaultsNotice({ existing }: Target, files: readonly FilePlan[]): string[] {
  const here = brought(files);
  const filled = (existing?.columns ?? [])
    .filter((column) => column.hasDefault && !here.has(column.name))
    .map((column) => column.name);
  if (filled.length === 0 || here.size === 0) return [];
  return [
    `No file brings ${filled.join(', ')}: new rows take the default. Which row gets which number of a sequence depends on the order of writing, and is not promised.`,
  ];
}
