/**
 * Where the pages of a column are read into and decode to. What is taken holds whatever was there
 * before.
 */
export interface PageMemory {
  /** Begins a page: what the one before it has taken may be given out again. */
  nextPage(): void;
  bytes(length: number): Uint8Array;
  words(count: number): Uint32Array;
  /** Bytes of the file, until the next are asked for. */
  readonly window: (length: number) => Buffer;
}

/** Every page has memory of its own, which stays as long as anybody holds it. */
export const FRESH_MEMORY: PageMemory = {
  nextPage: () => undefined,
  bytes: (length) => new Uint8Array(length),
  words: (count) => new Uint32Array(count),
  window: (length) => Buffer.allocUnsafeSlow(length),
};

/**
 * Gives the memory of a page to the next one, up to `bytesMax`; what is larger is fresh. V8 counts
 * ArrayBuffers as garbage to collect by their bytes: with fresh ones, 1.5 million rows of 8 columns
 * took 15 full collections, a tenth of the load's CPU.
 */
export function reusedMemory(bytesMax: number): PageMemory {
  const slots: ArrayBuffer[] = [];
  let slot = 0;
  let held = 0;
  let read = Buffer.alloc(0);

  /** The memory to keep in place of `old`; null where it would be too much. */
  function larger(old: number, wanted: number): number | null {
    const size = Math.ceil((wanted * 1.25) / 1024) * 1024;
    if (held - old + size > bytesMax) return null;
    held += size - old;
    return size;
  }

  function take(bytes: number): ArrayBuffer {
    const place = slot++;
    const old = slots[place];
    if (old !== undefined && old.byteLength >= bytes) return old;
    const size = larger(old?.byteLength ?? 0, bytes);
    if (size === null) return new ArrayBuffer(bytes);
    const kept = new ArrayBuffer(size);
    slots[place] = kept;
    return kept;
  }

  return {
    nextPage() {
      slot = 0;
    },
    bytes: (length) => new Uint8Array(take(length), 0, length),
    words: (count) => new Uint32Array(take(count * 4), 0, count),
    window(length) {
      if (read.length < length) {
        const size = larger(read.length, length);
        if (size === null) return Buffer.allocUnsafeSlow(length);
        read = Buffer.allocUnsafeSlow(size);
      }
      return read.subarray(0, length);
    },
  };
}
