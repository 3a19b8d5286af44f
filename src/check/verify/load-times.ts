import type { FilePlan, LoadPlan } from '../../plan/plan-types.ts';

/** The load without the columns that have the time of its run, which no later look can know. */
export function withoutLoadTimes(load: LoadPlan): LoadPlan {
  return { ...load, files: load.files.map(withoutLoadTime) };
}

function withoutLoadTime(file: FilePlan): FilePlan {
  const { description, targets } = file;
  if (description.kind !== 'document') return file;
  const kept = targets.map((target, index) =>
    description.columns[index]?.source.kind === 'loaded' ? null : target,
  );
  return { ...file, targets: kept };
}
