import { defineJob, type Job, type Plan } from '../../src/index.ts';
import type { LoadPlan } from '../../src/plan/plan-types.ts';
import type { Scratch, ScratchTable } from './scratch-schema.ts';
import type { TunedSettings } from './recommendation.ts';

/** A load of the job as it is measured: from sample files into a scratch table. */
export interface SampledLoad {
  /** Index of the load in the job. */
  readonly place: number;
  readonly paths: readonly string[];
  readonly table: ScratchTable;
}

/**
 * The job on its sample. The strategy is the one that all files and the real table lead to: a
 * sample has less overlap than its files, and the scratch table fewer rows.
 */
export function sampleJob(
  job: Job,
  plan: Plan,
  loads: readonly SampledLoad[],
  scratch: Scratch,
  settings: TunedSettings,
): Job {
  return defineJob({
    settings: { ...job.settings, ...settings, ledgerSchema: scratch.ledgerSchema },
    loads: loads.flatMap(({ place, paths, table }) => {
      const [request, planned] = [job.loads[place], plan.loads[place]];
      if (request === undefined || planned === undefined) return [];
      return [
        {
          ...request,
          files: [...paths],
          order: 'listed' as const,
          table: table.sqlName,
          key: planned.key.length > 0 ? [...planned.key] : request.key,
          versionColumn: planned.versionColumn,
          strategy: planned.strategy,
          createTable: table.rowsBefore === null,
          types: table.rowsBefore === null ? typesOf(planned) : {},
          // They are made once the rows are loaded, which is what is measured.
          indexes: [],
        },
      ];
    }),
  });
}

/** Types that all files led to: a sample might lead to narrower ones. */
function typesOf({ table }: LoadPlan): Record<string, string> {
  return Object.fromEntries(table.columns.map(({ name, type }) => [name, type.declared]));
}
