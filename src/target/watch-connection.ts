/** Watches a connection while the server owes an answer. */
export interface ConnectionWatch {
  /** Settles as the answer does. */
  owes<T>(answer: Promise<T>): Promise<T>;
}

export interface ConnectionWatchOptions {
  /** Time without a byte after which somebody looks; 0: never. */
  readonly idleTimeoutMs: number;
  /** Bytes that came and went so far. */
  readonly traffic: () => number;
  /** Whether the server works on the answer, asked by another connection. Never rejects. */
  readonly works: () => Promise<boolean>;
  /** The connection is lost: whoever waits is to be told. */
  readonly giveUp: () => void;
}

/** An answer may be on its way while the first look is taken. */
const LOOKS_MAX = 2;

/**
 * A connection can fall silent without an end: a firewall forgets it, a host loses its power, and no
 * packet ever says so. Silence alone proves nothing, since a merge of an hour is as silent; TCP's own
 * keepalive sees a dead host, and not one that lives behind a middlebox that swallows the answer. So
 * after each `idleTimeoutMs` of silence the server is asked, and the connection given up where it twice
 * in a row does not work on the answer.
 */
export function watchConnection(options: ConnectionWatchOptions): ConnectionWatch {
  const { idleTimeoutMs, traffic, works, giveUp } = options;
  let owed = 0;
  let timer: NodeJS.Timeout | null = null;

  const begin = (): void => {
    let before = traffic();
    let silentLooks = 0;
    let looking = false;
    timer = setInterval(() => {
      if (looking) return;
      const mine = timer;
      const silent = traffic() === before;
      before = traffic();
      if (!silent) {
        silentLooks = 0;
        return;
      }
      looking = true;
      void works().then((working) => {
        looking = false;
        // Another answer may be owed by now, with a timer of its own.
        if (timer !== mine) return;
        silentLooks = working || traffic() !== before ? 0 : silentLooks + 1;
        if (silentLooks >= LOOKS_MAX) giveUp();
      });
    }, idleTimeoutMs);
    timer.unref();
  };

  return {
    owes: async (answer) => {
      if (idleTimeoutMs === 0) return answer;
      owed += 1;
      if (owed === 1) begin();
      try {
        return await answer;
      } finally {
        owed -= 1;
        if (owed === 0 && timer !== null) {
          clearInterval(timer);
          timer = null;
        }
      }
    },
  };
}
