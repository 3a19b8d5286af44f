import type { LoadRequest, Settings } from '../job/schema.ts';
import { workersFor } from './concurrency.ts';
import { brought } from './couplings.ts';
import { decideLoad, type Decided } from './decide-load.ts';
import { findDirectFiles } from './direct-units.ts';
import { describeFiles } from './describe-files.ts';
import { countText } from './figures.ts';
import { fingerprintOf } from './fingerprint.ts';
import { mapFiles } from './map-files.ts';
import type { PlanContext } from './plan-context.ts';
import { planFiles } from './plan-files.ts';
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
  const described = await describeFiles(request, context);
  const target = await findTarget(request, described, created, context);
  const { key, planned: table } = target;
  const fingerprint = fingerprintOf(request, key, settings);
  const skipping = await findLoaded(
    described.map(({ file }) => file),
    target.existing,
    { fingerprint, keyed: key.length > 0 },
    context,
  );
  const mapped = await mapFiles(described, target, request, ({ file }) =>
    skipping.loaded.has(file.path),
  );
  const sampled = await planFiles(
    { described, targets: mapped.targets, loaded: skipping.loaded, earlier: skipping.earlier },
    target,
    settings,
    context,
  );
  const workers = workersFor(settings, context);
  const planned = { ...sampled, direct: await findDirectFiles(target, sampled, context) };
  const decided = decideLoad(request, settings, target, planned, workers.count, context);
  return {
    table,
    key,
    onConflict: request.onConflict,
    versionColumn: target.versionColumn,
    fingerprint,
    ...decided,
    files: sampled.files,
    overlap: sampled.overlap,
    notices: [
      ...target.notices,
      ...defaultsNotice(target, sampled.files),
      ...skipping.notices,
      ...mapped.notices,
      ...sampled.notices,
      ...workers.notices,
      ...shortcutNotices(decided),
    ],
  };
}

/** What the run will leave out because of what the sample says, and what if the sample errs. */
function shortcutNotices({ fillBeforeKey, dropSuperseded, units }: Decided): string[] {
  const direct = units.filter((unit) => unit.direct !== undefined).length;
  return [
    ...(direct > 0
      ? [
          `${countText(direct)} of ${countText(units.length)} units of work seem to bring new rows, sorted, above the keys of the table: they are copied into it without staging; one that does not is staged.`,
        ]
      : []),
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
