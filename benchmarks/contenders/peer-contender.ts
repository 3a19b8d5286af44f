import { columnsOf } from '../generate/columns.ts';
import type { Peer, PeerJob } from '../peers/peers.ts';
import type { Contender, ContenderLoad, ContenderRun } from './contender.ts';

/** Another tool on the same rows, which it gets as CSV. */
export function peerContender(peer: Peer): Contender {
  return {
    name: peer.name,
    strategy: null,
    concurrency: null,
    formats: ['csv'],
    rowsMax: peer.maxRows,
    createsTable: false,
    deterministic: peer.deterministic,
    run: async (load) => withoutPlan(await peer.run(peerJob(load))),
  };
}

function peerJob(load: ContenderLoad): PeerJob {
  const columns = columnsOf(load.shape.scenario);
  return {
    databaseUrl: load.databaseUrl,
    table: `${load.schema}.${load.table}`,
    columns: columns.map(({ name, sqlType }) => ({ name, sqlType })),
    key: columns.filter(({ key }) => key).map(({ name }) => name),
    files: load.files.paths,
    signal: load.signal,
  };
}

/** What only the engine could tell is left open. */
export function withoutPlan(
  usage: Pick<ContenderRun, 'clientCpuMs' | 'rssPeakBytes'>,
): ContenderRun {
  return { ...usage, connectionsPeak: null, chosen: null, predicted: {}, timeline: [] };
}
