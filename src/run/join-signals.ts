/** Several signals as one, for a while. */
export interface JoinedSignals {
  /** Aborted with the first of them, by its reason. */
  readonly signal: AbortSignal;
  /** They forget it; then it is aborted with none of them any more. */
  readonly release: () => void;
}

/**
 * Joins signals until they are released. AbortSignal.any needs no release, but under Node 20 a signal keeps
 * a WeakRef of every one that was ever made of it, and some live as long as a service, or as a program
 * that calls the library: 3,000 uploads left 3,000 of them behind.
 */
export function joinSignals(...sources: readonly AbortSignal[]): JoinedSignals {
  const joined = new AbortController();
  const offs = sources.map((source) => {
    const abort = (): void => joined.abort(source.reason);
    if (source.aborted) abort();
    source.addEventListener('abort', abort);
    return () => source.removeEventListener('abort', abort);
  });
  return {
    signal: joined.signal,
    release: () => {
      for (const off of offs) off();
    },
  };
}
