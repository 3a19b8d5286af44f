import { basename } from 'node:path';
import type { LoadRequest, Settings } from '../job/schema.ts';
import type { TransformSource } from '../source/source-file.ts';
import { digest } from './canonical-json.ts';

/**
 * What loading a file means here: two loads with the same fingerprint leave the same rows of the
 * same file. It holds what the job says of key, policy, columns and dialect, and the time zone, which
 * decides what a timestamp without a zone is. It does not hold what follows from the file itself
 * (its header, its size), nor strategy, concurrency or the other files: a file that joins the folder
 * later must not make the loaded ones look new.
 */
export function fingerprintOf(
  request: Pick<
    LoadRequest,
    | 'onConflict'
    | 'versionColumn'
    | 'insertOnly'
    | 'compare'
    | 'columns'
    | 'csv'
    | 'json'
    | 'documents'
    | 'lookups'
  >,
  key: readonly string[],
  settings: Pick<Settings, 'timeZone'>,
  transform: TransformSource | null = null,
  /** Of further tables. */
  further: object = {},
): string {
  return digest({
    key,
    onConflict: request.onConflict,
    versionColumn: request.onConflict === 'newest' ? request.versionColumn : null,
    ...policiesOf(request),
    columns: request.columns,
    csv: request.csv,
    ...jsonOf(request),
    ...documentsOf(request),
    ...lookupsOf(request),
    ...transformOf(transform),
    ...further,
    timeZone: settings.timeZone,
  });
}

/** Nothing where the job names none, so that such a load keeps its fingerprint. */
function policiesOf({
  insertOnly,
  compare,
}: Pick<LoadRequest, 'insertOnly' | 'compare'>): Partial<Record<string, string[]>> {
  return {
    ...(insertOnly === null ? {} : { insertOnly: insertOnly.toSorted() }),
    ...(compare === null ? {} : { compare: compare.toSorted() }),
  };
}

/** Nothing where the job says nothing of it, so that a load of other files keeps its fingerprint. */
function jsonOf({ json }: Pick<LoadRequest, 'json'>): Partial<Pick<LoadRequest, 'json'>> {
  return json.records === null && Object.keys(json.columns).length === 0 ? {} : { json };
}

function documentsOf({ documents }: Pick<LoadRequest, 'documents'>): object {
  return documents.path === null ? {} : { documents };
}

function lookupsOf({ lookups }: Pick<LoadRequest, 'lookups'>): object {
  if (lookups.length === 0) return {};
  return {
    lookups: lookups.map(({ set, required, ...lookup }) => ({
      ...lookup,
      ...(Object.keys(set).length === 0 ? {} : { set }),
      ...(required === null ? {} : { required }),
    })),
  };
}

/**
 * The module's name, its options and the version that it declares. Not its code, nor the model that it
 * reads: a comment that is corrected must not load every file again. Whoever wants that says so by
 * another version.
 */
function transformOf(transform: TransformSource | null): object {
  if (transform === null) return {};
  const { module, options, version } = transform;
  return { transform: { module: basename(module), options, version } };
}
