import { executeValues } from './execute-values.ts';
import { multiRowInsert, rowByRow } from './node-inserts.ts';
import { pandasToSql } from './pandas-to-sql.ts';
import type { Peer, PeerCandidate, UnavailablePeer } from './peer.ts';
import { pgloader } from './pgloader.ts';
import { psqlScript } from './psql-script.ts';
import { psqlXargs } from './psql-xargs.ts';

export type { Peer, PeerColumn, PeerJob, PeerUsage, UnavailablePeer } from './peer.ts';

/** The strongest first. */
const CANDIDATES: readonly PeerCandidate[] = [
  psqlScript,
  psqlXargs,
  pgloader,
  executeValues,
  pandasToSql,
  multiRowInsert,
  rowByRow,
];

/** The peers that can run here, and what the others lack. */
export async function findPeers(): Promise<{
  readonly available: readonly Peer[];
  readonly unavailable: readonly UnavailablePeer[];
}> {
  const missing = await Promise.all(CANDIDATES.map((candidate) => candidate.missing()));
  return {
    available: CANDIDATES.filter((_, index) => missing[index] === null),
    unavailable: CANDIDATES.flatMap(({ name }, index) => {
      const why = missing[index] ?? null;
      return why === null ? [] : [{ name, why }];
    }),
  };
}
