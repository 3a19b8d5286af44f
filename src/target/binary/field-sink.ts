/** A buffer that grows, to which fields of any length are appended. */
export interface FieldSink {
  /** Bytes appended so far. */
  length(): number;
  text(text: string): void;
  /** Words of 16 bits, big-endian. */
  words(words: Uint16Array, count: number): void;
  copy(bytes: Uint8Array, start: number, end: number): void;
  uint64(high: number, low: number): void;
  int32(value: number): void;
  /** What was appended, alone in its buffer's beginning. The sink is not used any more. */
  take(): Uint8Array;
}

export function createFieldSink(capacity: number): FieldSink {
  let bytes = Buffer.allocUnsafeSlow(Math.max(64, capacity));
  let view = new DataView(bytes.buffer);
  let length = 0;

  function reserve(more: number): void {
    if (length + more <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, length + more));
    bytes.copy(larger, 0, 0, length);
    bytes = larger;
    view = new DataView(bytes.buffer);
  }

  return {
    length: () => length,
    text(text) {
      // UTF-8 takes at most three bytes for a unit of UTF-16.
      reserve(text.length * 3);
      length += bytes.write(text, length, 'utf8');
    },
    words(words, count) {
      reserve(count * 2);
      for (let i = 0; i < count; i++, length += 2) view.setUint16(length, words[i] ?? 0);
    },
    copy(source, start, end) {
      reserve(end - start);
      bytes.set(source.subarray(start, end), length);
      length += end - start;
    },
    uint64(high, low) {
      reserve(8);
      view.setUint32(length, high);
      view.setUint32(length + 4, low);
      length += 8;
    },
    int32(value) {
      reserve(4);
      view.setInt32(length, value);
      length += 4;
    },
    take: () => bytes.subarray(0, length),
  };
}
