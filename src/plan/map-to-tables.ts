import type { LoadRequest } from '../job/schema.ts';
import type { DescribedFile } from './describe-files.ts';
import type { FoundTables } from './find-tables.ts';
import { columnsForTable } from './lookup-columns.ts';
import { withSetColumns } from './lookup-sets.ts';
import { mapFiles, type MappedFiles } from './map-files.ts';
import type { FilesIn } from './plan-files.ts';
import {
  mapFurther,
  refuseUnshareable,
  tablesInStaging,
  type MappedFurther,
} from './plan-targets.ts';

/** Where the columns of all files go, in all tables of a load. */
export interface MappedTables {
  readonly own: MappedFiles;
  readonly further: MappedFurther;
  /** What the planner of files is to know of it. */
  readonly toPlan: Pick<FilesIn, 'targets' | 'further' | 'sampled'>;
}

export async function mapToTables(
  request: LoadRequest,
  described: readonly DescribedFile[],
  { target, further: tables, lookups, asked }: FoundTables,
  isSkipped: (file: DescribedFile) => boolean,
): Promise<MappedTables> {
  const columns = columnsForTable(request, asked, target, lookups);
  const own = await mapFiles(described, target, { columns }, isSkipped);
  const further = await mapFurther(described, { target, mapped: own }, tables, isSkipped);
  const shared = withSetColumns(described, lookups, further.toPlan.further);
  refuseUnshareable(described, own.targets, tablesInStaging(target, tables), shared.further);
  return { own, further, toPlan: { targets: own.targets, ...further.toPlan, ...shared } };
}
