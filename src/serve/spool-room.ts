import { Refusal } from './refusal.ts';

/** Bytes of the spool, taken as they arrive and given back when their upload has ended. */
export interface SpoolRoom {
  /** @throws Refusal 429 */
  take(bytes: number): void;
  /** Of what is there already, whatever the limit. */
  hold(bytes: number): void;
  give(bytes: number): void;
  readonly taken: () => number;
}

/** `retryAfter`: seconds until there may be room again. */
export function createSpoolRoom(bytesMax: number, retryAfter: () => number): SpoolRoom {
  let taken = 0;
  return {
    take: (bytes) => {
      if (taken + bytes > bytesMax) {
        throw new Refusal(
          429,
          `The spool has no room: it holds ${taken} of ${bytesMax} bytes.`,
          'Send it again after the seconds of Retry-After; --spool-limit gives more room.',
          { facts: { limit: bytesMax }, retryAfter: retryAfter() },
        );
      }
      taken += bytes;
    },
    hold: (bytes) => {
      taken += bytes;
    },
    give: (bytes) => {
      taken -= bytes;
    },
    taken: () => taken,
  };
}
