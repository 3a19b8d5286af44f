/** As scenarios name them, the strongest first. */
export const PEER_NAMES = [
  'psql script',
  'psql xargs -P',
  'pgloader',
  'psycopg2 execute_values',
  'pandas to_sql',
  'multi-row INSERT',
  'row by row',
] as const;

/** What people use instead, run on the same files as the engine, in the same benchmark. */
export interface Peer {
  readonly name: string;
  /** One sentence for the reader of a result: how this peer upserts. */
  readonly does: string;
  /** Whether the table must end as the sequential load leaves it. */
  readonly deterministic: boolean;
  /** With more rows it is not worth the wait; null where it is at any size. */
  readonly maxRows: number | null;
  /** Rejects with ETL_PEER when a command of the peer fails: nothing is tried again. */
  run(job: PeerJob): Promise<PeerUsage>;
}

/** An upsert in which the last row of the last file wins. */
export interface PeerJob {
  /** A postgres:// URL. It reaches the peers by their environment, so `ps` shows no password. */
  readonly databaseUrl: string;
  /** An existing table with a unique index on `key`, spelled as in SQL. */
  readonly table: string;
  /** All columns of the files, in the order of their headers. */
  readonly columns: readonly PeerColumn[];
  readonly key: readonly string[];
  /**
   * CSV in UTF-8 with a header: comma, double quote, an empty field for NULL. To the peers in
   * Python and to pgloader a quoted empty field is NULL as well: their readers drop the quotes.
   */
  readonly files: readonly string[];
  /** Processes at a time where the peer has a choice; by default one for each core, at least two. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  /** A command of the peer that takes longer is killed and fails; 300 by default. */
  readonly secondsMax?: number;
}

export interface PeerColumn {
  readonly name: string;
  readonly sqlType: string;
}

/** Null: not known on this platform. */
export interface PeerUsage {
  /** User and system time of all processes of the peer. */
  readonly clientCpuMs: number | null;
  /** Of its largest process. */
  readonly rssPeakBytes: number | null;
}

export interface UnavailablePeer {
  readonly name: string;
  readonly why: string;
}

/** A peer, and how to find out whether it is here: null, or what is missing. */
export interface PeerCandidate extends Peer {
  missing(): Promise<string | null>;
}
