import { jointLayoutKey, setTables } from '../target/joint-staging.ts';
import type { DescribedFile } from './describe-files.ts';
import type { PlannedLookup } from './plan-lookups.ts';
import type { FilesIn } from './plan-files.ts';
import type { FilePlan } from './plan-types.ts';
import type { Target } from './target-table.ts';

type ByFile = NonNullable<FilesIn['further']>;

/**
 * Where the columns of the files go in rows that lookups create (`lookups.set`), file by file, behind
 * the mappings of the further tables; nothing where no lookup has a set.
 */
export function withSetColumns(
  files: readonly DescribedFile[],
  lookups: readonly PlannedLookup[],
  further: ByFile | undefined,
): { readonly further?: ByFile } {
  const sets = lookups.flatMap(({ request, lookup }) =>
    lookup.set === undefined ? [] : [{ sources: Object.values(request.set), ...lookup.set }],
  );
  if (sets.length === 0) return further === undefined ? {} : { further };
  /** Files with the same header share their list of columns. */
  const shared = new Map<readonly string[], (readonly (string | null)[])[]>();
  const mappedOf = ({ columns: names }: DescribedFile): (readonly (string | null)[])[] => {
    const mapped =
      shared.get(names) ??
      sets.map(({ sources, columns }) =>
        names.map((name) => columns[sources.indexOf(name)]?.name ?? null),
      );
    shared.set(names, mapped);
    return mapped;
  };
  return { further: files.map((file, place) => [...(further?.[place] ?? []), ...mappedOf(file)]) };
}

/** What files must agree on to be staged together, where rows are created of several columns; else null. */
export function setLayoutKey({ planned }: Target): ((file: FilePlan) => string) | null {
  const sets = setTables([planned.columns]);
  if (sets.length === 0) return null;
  const tables = [{ columns: planned.columns, where: null }, ...sets];
  return (file) => jointLayoutKey(tables, file);
}
