/** The memory that COPY's bytes are written to. */
export interface Outputs {
  readonly next: (bytes: number) => Buffer;
  /** What was written is with the server; the memory may be another's. */
  readonly release: () => void;
}

export const FRESH_OUTPUTS: Outputs = { next: freshOutput, release: () => undefined };

/**
 * Two buffers by turns: V8 collects garbage after so many bytes of new ones (see reusedMemory), and late:
 * with new ones for each unit, a load of 100,000 documents held 40 MB of them.
 */
export function reusedOutputs(): Outputs {
  const none = Buffer.alloc(0);
  let [next, last] = [spare.pop() ?? none, spare.pop() ?? none];
  return {
    next: (bytes) => {
      if (bytes < REUSED_BYTES_MIN) return freshOutput(bytes);
      const larger = Math.ceil(bytes * 1.25);
      const buffer = next.length >= bytes ? next : freshOutput(larger);
      next = last;
      last = buffer;
      return buffer.subarray(0, bytes);
    },
    release: () => {
      const kept = [next, last].filter(({ length }) => length > 0 && length <= SPARE_BYTES_MAX);
      spare.push(...kept.slice(0, SPARE_MAX - spare.length));
      [next, last] = [none, none];
    },
  };
}

/**
 * Fewer bytes are not written in one go: a stream takes them, says that it has room for more, and
 * still holds them.
 */
const REUSED_BYTES_MIN = 128 * 1024;

/** Buffers that were released, but for those that are too large to be kept. */
const spare: Buffer[] = [];
const SPARE_MAX = 8;
const SPARE_BYTES_MAX = 2 * 1024 * 1024;

function freshOutput(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(bytes);
}
