import type { LoadRequest, Settings } from '../job/schema.ts';
import { columnPolicies } from './column-policies.ts';
import { workersFor } from './concurrency.ts';
import { brought } from './couplings.ts';
import { dateOrderNotices } from './date-order.ts';
import { decideLoad, type Decided } from './decide-load.ts';
import { findDirectFiles } from './direct-units.ts';
import { describeFiles, type DescribedFile } from './describe-files.ts';
import { countText } from './figures.ts';
import { fingerprintOf } from './fingerprint.ts';
import { columnsForTable, refuseUnused, withLookupColumns, withLookups } from './lookup-columns.ts';
import { setLayoutKey, withSetColumns } from './lookup-sets.ts';
import { mapFiles } from './map-files.ts';
import type { PlanContext } from './plan-context.ts';
import { describeDocumentFiles } from './plan-documents.ts';
import { planFiles } from './plan-files.ts';
import { indexNotices, planIndexes } from './plan-indexes.ts';
import { planLookups } from './plan-lookups.ts';
import {
  findFurther,
  furtherMeaning,
  furtherNotices,
  mapFurther,
  refuseUnshareable,
  tablesInStaging,
  targetPlans,
} from './plan-targets.ts';
import { severalTables } from './several-tables.ts';
import { planUnchanged, unchangedNotice } from './plan-unchanged.ts';
import { sampleUnchanged } from './sample-unchanged.ts';
import { planTransform, transformNotices, withTransformTypes } from './plan-transform.ts';
import type { FilePlan, LoadPlan } from './plan-types.ts';
import { findLoaded } from './skip-loaded.ts';
import { findTarget, type CreatedTable, type Target } from './target-table.ts';

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
  const lookups = await planLookups(request, described, created, context);
  const asked = withLookupColumns(withTransformTypes(request, transform), lookups);
  const target = withLookups(await findTarget(asked, described, created, context), lookups);
  const { key, planned: table } = target;
  const further = await findFurther(request, described, created, context, { lookups, transform });
  refuseUnused(lookups, [target, ...further.map((one) => one.target)]);
  const meaning = furtherMeaning(further);
  const fingerprint = fingerprintOf(request, key, settings, transform, meaning);
  const skipping = await findLoaded(
    described.map(({ file }) => file),
    target.existing,
    { fingerprint, keyed: [target, ...further.map((one) => one.target)].some(isKeyed) },
    context,
  );
  const isSkipped = ({ file }: DescribedFile): boolean => skipping.loaded.has(file.path);
  const columns = columnsForTable(request, asked, target, lookups);
  const mapped = await mapFiles(described, target, { columns }, isSkipped);
  const several = await mapFurther(described, { target, mapped }, further, isSkipped);
  const shared = withSetColumns(described, lookups, several.toPlan.further);
  refuseUnshareable(described, mapped.targets, tablesInStaging(target, further), shared.further);
  const { loaded, earlier } = skipping;
  const toPlan = {
    described,
    targets: mapped.targets,
    loaded,
    earlier,
    ...several.toPlan,
    ...shared,
  };
  const toCompare = described
    .filter((one) => !isSkipped(one))
    .map(({ ordinal, file, description }) => {
      return { file, description, targets: mapped.targets[ordinal] ?? [] };
    });
  const seen =
    further.length > 0
      ? null
      : await sampleUnchanged(request, settings, target, toCompare, context);
  const { sampled, unchanged } = await planUnchanged(
    seen,
    target,
    (rowsPerFileMax) => planFiles({ ...toPlan, rowsPerFileMax }, target, settings, context),
    context,
  );
  const policies = columnPolicies(request, target, sampled.files);
  const indexes = await planIndexes(request.indexes, target, context);
  const workers = workersFor(settings, context);
  const joint = await severalTables(target, further, sampled.files, context);
  const direct = joint === null ? await findDirectFiles(target, sampled, context) : null;
  const planned = { ...sampled, direct, unchanged };
  const places = { workers: workers.count, several: joint, layoutKey: setLayoutKey(target) };
  const dates = settings.conflictDetection
    ? await dateOrderNotices(target, sampled.files, context)
    : [];
  const decided = decideLoad(request, settings, target, planned, places, context);
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
      ...defaultsNotice(target, sampled.files),
      ...skipping.notices,
      ...mapped.notices,
      ...dates,
      ...furtherNotices(further, several, loaded),
      ...sampled.notices,
      ...workers.notices,
      ...shortcutNotices(decided),
      ...(unchanged === null ? [] : [unchangedNotice(unchanged)]),
      ...indexNotices(indexes),
    ],
  };
}

function isKeyed({ key }: Target): boolean {
  return key.length > 0;
}

/** What the run will leave out because of what the sample says, and what if the sample errs. */
function shortcutNotices(decided: Decided): string[] {
  const { fillBeforeKey, dropSuperseded, units, directShares } = decided;
  const direct = units.filter((unit) => unit.direct !== undefined).length;
  return [
    ...(direct > 0
      ? [
          units.length === 1
            ? 'The unit of work seems to bring new rows, sorted, above the keys of the table: they are copied into it without staging; if it does not, it is staged.'
            : `${countText(direct)} of ${countText(units.length)} units of work seem to bring new rows, sorted, above the keys of the table: they are copied into it without staging; one that does not is staged.`,
        ]
      : []),
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
