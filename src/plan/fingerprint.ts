import type { LoadRequest, Settings } from '../job/schema.ts';
import { digest } from './canonical-json.ts';

/**
 * What loading a file means here: two loads with the same fingerprint leave the same rows of the
 * same file. It holds what the job says of key, policy, columns and dialect, and the time zone, which
 * decides what a timestamp without a zone is. It does not hold what follows from the file itself
 * (its header, its size), nor strategy, concurrency or the other files: a file that joins the folder
 * later must not make the loaded ones look new.
 */
export function fingerprintOf(
  request: Pick<LoadRequest, 'onConflict' | 'versionColumn' | 'columns' | 'csv' | 'json'>,
  key: readonly string[],
  settings: Pick<Settings, 'timeZone'>,
): string {
  return digest({
    key,
    onConflict: request.onConflict,
    versionColumn: request.onConflict === 'newest' ? request.versionColumn : null,
    columns: request.columns,
    csv: request.csv,
    ...jsonOf(request),
    timeZone: settings.timeZone,
  });
}

/** Nothing where the job says nothing of it, so that a load of other files keeps its fingerprint. */
function jsonOf({ json }: Pick<LoadRequest, 'json'>): Partial<Pick<LoadRequest, 'json'>> {
  return json.records === null && Object.keys(json.columns).length === 0 ? {} : { json };
}
