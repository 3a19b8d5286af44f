import type { Peer, UnavailablePeer } from '../peers/peers.ts';
import type { Scenario } from '../scenario.ts';
import type { Contender } from './contender.ts';
import { COPY_REFERENCE, copyReference, missingForReference } from './copy-reference.ts';
import { etlContender } from './etl-contender.ts';
import { peerContender } from './peer-contender.ts';

export interface Contenders {
  readonly present: readonly Contender[];
  readonly absent: readonly UnavailablePeer[];
}

/** Whoever loads this scenario, in the order in which they take turns. */
export async function contendersOf(
  scenario: Scenario,
  peers: { readonly available: readonly Peer[]; readonly unavailable: readonly UnavailablePeer[] },
): Promise<Contenders> {
  const etl = scenario.concurrency.flatMap((concurrency) =>
    scenario.strategies.map((strategy) => etlContender(scenario, strategy, concurrency)),
  );
  const reference = scenario.copyReference ? await missingForReference() : null;
  const copies = scenario.copyReference && reference === null ? [copyReference] : [];
  const isAsked = ({ name }: { readonly name: string }): boolean => scenario.peers.includes(name);
  const others = peers.available.filter(isAsked);
  const absent = reference === null ? [] : [{ name: COPY_REFERENCE, why: reference }];
  return {
    present: [...etl, ...copies, ...others.map(peerContender)],
    absent: [...absent, ...peers.unavailable.filter(isAsked)],
  };
}
