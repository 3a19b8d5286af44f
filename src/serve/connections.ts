/** Connections to PostgreSQL that all runs of the service share. */
export interface Connections {
  /** Resolves once so many are free, first come, first served; then they are taken. */
  take(count: number): Promise<void>;
  give(count: number): void;
  readonly taken: () => number;
}

/** `count` of a call is never more than `total`. */
export function createConnections(total: number): Connections {
  let free = total;
  const waiting: { readonly count: number; readonly go: () => void }[] = [];
  const serve = (): void => {
    // Strictly in order: a large run is not kept waiting for ever by small ones that fit.
    for (let first = waiting[0]; first !== undefined && first.count <= free; first = waiting[0]) {
      waiting.shift();
      free -= first.count;
      first.go();
    }
  };
  return {
    take: (count) =>
      new Promise((go) => {
        waiting.push({ count, go });
        serve();
      }),
    give: (count) => {
      free += count;
      serve();
    },
    taken: () => total - free,
  };
}
