import type { FilePlan, LoadPlan } from '../../plan/plan-types.ts';
import { documentIn } from '../../source/transform/input-of.ts';

/** The load without the columns that have the time of its run, which no later look can know. */
export function withoutLoadTimes(load: LoadPlan): LoadPlan {
  return { ...load, files: load.files.map(withoutLoadTime) };
}

function withoutLoadTime(file: FilePlan): FilePlan {
  const { description, targets } = file;
  const documents = documentIn(description);
  if (documents === null) return file;
  const kept = targets.map((target, index) => {
    const isTime = documents.columns[index]?.source.kind === 'loaded';
    const made = description.kind === 'transformed' && description.columns[index]?.given === true;
    return isTime && !made ? null : target;
  });
  return { ...file, targets: kept };
}
