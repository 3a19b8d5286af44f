/** A unit's turn to create rows of other tables, which the coordinator gives it. */
export interface UnitTurn {
  readonly open: () => Promise<void>;
  /** Rejects with the signal's reason. */
  readonly wait: () => Promise<void>;
}

export function createUnitTurn(signal: AbortSignal): UnitTurn {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    open: async () => open(),
    wait: () =>
      new Promise((resolve, reject) => {
        const stop = (): void => reject(signal.reason as Error);
        if (signal.aborted) {
          stop();
          return;
        }
        signal.addEventListener('abort', stop, { once: true });
        void opened.then(() => {
          signal.removeEventListener('abort', stop);
          resolve();
        });
      }),
  };
}
