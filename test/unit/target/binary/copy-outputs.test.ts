import { describe, expect, it } from 'vitest';
import { reusedOutputs } from '../../../../src/target/binary/copy-outputs.ts';

const LARGE = 200_000;

describe('reused outputs', () => {
  it('are two by turns, and small ones are new', () => {
    const { next } = reusedOutputs();
    const [first, second, third, fourth] = [next(LARGE), next(LARGE), next(LARGE), next(LARGE)];
    expect(first.length).toBe(LARGE);
    expect(second.buffer).not.toBe(first.buffer);
    expect(third.buffer).toBe(first.buffer);
    expect(fourth.buffer).toBe(second.buffer);
    expect(next(1_000).buffer).not.toBe(third.buffer);
  });

  it('are handed on once they are released, and not before', () => {
    const one = reusedOutputs();
    const memory = new Set([one.next(LARGE).buffer, one.next(LARGE).buffer]);
    const meanwhile = reusedOutputs();
    expect(memory.has(meanwhile.next(LARGE).buffer)).toBe(false);
    one.release();
    const other = reusedOutputs();
    expect(memory.has(other.next(LARGE).buffer)).toBe(true);
    expect(memory.has(other.next(LARGE).buffer)).toBe(true);
    // Who has released it has none of it any more.
    expect(memory.has(one.next(LARGE).buffer)).toBe(false);
  });

  it('are not handed on where they are too large', () => {
    const one = reusedOutputs();
    const large = one.next(3_000_000).buffer;
    one.release();
    const other = reusedOutputs();
    expect([other.next(LARGE).buffer, other.next(LARGE).buffer]).not.toContain(large);
  });
});
