import { LIMITS } from '../limits.ts';
import { newHeaders, type KnownHeaders } from '../source/csv/describe-csv.ts';
import type { ServedJob } from './served-jobs.ts';

/**
 * Headers of the CSV files that a job was sent, so that the one that all its uploads have is parsed once.
 * Whoever sends others each time, or large ones, must not fill the memory: then they are forgotten.
 */
export function createMetHeaders(): (job: Pick<ServedJob, 'name'>) => KnownHeaders {
  const met = new Map<string, KnownHeaders>();
  return ({ name }) => {
    const headers = met.get(name) ?? newHeaders();
    met.set(name, headers);
    let characters = 0;
    for (const header of headers.keys()) characters += header.length;
    const full = headers.size >= LIMITS.headersKeptMax;
    if (full || characters > LIMITS.serveHeaderCharactersMax) headers.clear();
    return headers;
  };
}
