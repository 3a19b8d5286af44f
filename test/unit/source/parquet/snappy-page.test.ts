import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reusedMemory } from '../../../../src/source/parquet/page-memory.ts';
import { PageFault } from '../../../../src/source/parquet/parquet-fault.ts';
import { openSnappyModule } from '../../../../src/source/parquet/snappy-module.ts';
import { decompressSnappy } from '../../../../src/source/parquet/snappy-page.ts';

type Token =
  | { readonly literal: Uint8Array; readonly lengthBytes: 0 | 1 | 2 | 3 | 4 }
  | { readonly back: number; readonly length: number; readonly form: 1 | 2 | 3 };

/** The tokens as Snappy writes them, and byte by byte what they stand for. */
function written(tokens: readonly Token[]): { bytes: Buffer; page: Buffer } {
  const bytes: number[] = [];
  const page: number[] = [];
  for (const token of tokens) {
    if ('literal' in token) {
      const less = token.literal.length - 1;
      if (token.lengthBytes === 0 && less < 60) bytes.push(less << 2);
      else {
        const width = Math.max(token.lengthBytes, less < 256 ? 1 : 2);
        bytes.push((59 + width) << 2);
        for (let place = 0; place < width; place++) bytes.push((less >>> (8 * place)) & 255);
      }
      bytes.push(...token.literal);
      page.push(...token.literal);
      continue;
    }
    if (page.length === 0) continue;
    const distance = 1 + (token.back % page.length);
    const near = token.form === 1 && distance < 2048;
    const length = near ? 4 + (token.length % 8) : token.length;
    if (near) bytes.push(1 | ((length - 4) << 2) | ((distance >>> 8) << 5), distance & 255);
    else if (token.form < 3) bytes.push(2 | ((length - 1) << 2), distance & 255, distance >>> 8);
    else bytes.push(3 | ((length - 1) << 2), distance & 255, distance >>> 8, 0, 0);
    for (let i = 0; i < length; i++) page.push(page.at(-distance) ?? 0);
  }
  return { bytes: Buffer.from([...varint(page.length), ...bytes]), page: Buffer.from(page) };
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

function decoded(bytes: Uint8Array, size: number): Buffer {
  const page = decompressSnappy(bytes, size);
  expect(page.length).toBe(size);
  return Buffer.from(page);
}

const token: fc.Arbitrary<Token> = fc.oneof(
  fc.record({
    literal: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      fc.uint8Array({ minLength: 20, maxLength: 90 }),
      fc.uint8Array({ minLength: 250, maxLength: 700, size: 'max' }),
    ),
    lengthBytes: fc.constantFrom(0, 1, 2, 3, 4),
  }),
  fc.record({
    back: fc.oneof(fc.nat({ max: 8 }), fc.nat({ max: 5000 })),
    length: fc.integer({ min: 1, max: 64 }),
    form: fc.constantFrom(1, 2, 3),
  }),
);
const tokens = fc.array(token, { minLength: 1, maxLength: 30 });

describe('decompressSnappy', () => {
  it('decodes literals and copies of every form, to the last byte and no further', () => {
    fc.assert(
      fc.property(tokens, (list) => {
        const { bytes, page } = written(list);
        expect(decoded(bytes, page.length).equals(page)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('repeats what it is writing', () => {
    const { bytes } = written([
      { literal: Buffer.from('ab'), lengthBytes: 0 },
      { back: 1, length: 9, form: 2 },
      { back: 4, length: 11, form: 1 },
    ]);
    expect(decoded(bytes, 18).toString()).toBe(`${'ab'.repeat(5)}aababaab`);
  });

  it('decodes pages of any size, one after another', () => {
    const pattern = Buffer.from('sixteen letters.');
    const begin = Buffer.from([(pattern.length - 1) << 2, ...pattern]);
    const copy = Buffer.from([(63 << 2) | 2, pattern.length, 0]);
    for (const copies of [1, 50_000, 2, 400_000, 3, 30_000]) {
      const size = pattern.length + 64 * copies;
      const head = Buffer.from(varint(size));
      const bytes = Buffer.concat([head, begin, Buffer.alloc(3 * copies, copy)]);
      expect(decoded(bytes, size).equals(Buffer.alloc(size, pattern))).toBe(true);
    }
  });

  it('writes a page into the memory that it is given, and into that of no other page', () => {
    const memory = reusedMemory(1024 * 1024);
    const pageOf = (letter: string): Uint8Array => {
      const { bytes } = written([
        { literal: Buffer.from(letter), lengthBytes: 0 },
        { back: 0, length: 60, form: 2 },
      ]);
      return decompressSnappy(bytes, 61, memory);
    };
    memory.nextPage();
    const [a, b] = [pageOf('a'), pageOf('b')];
    expect(Buffer.from(a).toString()).toBe('a'.repeat(61));
    expect(Buffer.from(b).toString()).toBe('b'.repeat(61));
    memory.nextPage();
    expect(pageOf('c').buffer).toBe(a.buffer);
    expect(Buffer.from(b).toString()).toBe('b'.repeat(61));
  });

  it('leaves WebAssembly to others as it was', () => {
    const { WebAssembly } = globalThis as unknown as { WebAssembly: { Instance: unknown } };
    const { Instance } = WebAssembly;
    openSnappyModule();
    expect(WebAssembly.Instance).toBe(Instance);
  });

  it('refuses data that is cut off, and sizes that are not those of the data', () => {
    fc.assert(
      fc.property(tokens, fc.double({ min: 0, max: 0.999, noNaN: true }), (list, share) => {
        const { bytes, page } = written(list);
        fc.pre(page.length > 0);
        const cut = bytes.subarray(0, Math.floor(bytes.length * share));
        expect(() => decoded(cut, page.length)).toThrow(PageFault);
        expect(() => decoded(bytes, page.length + 1)).toThrow(PageFault);
        expect(() => decoded(bytes, page.length - 1)).toThrow(PageFault);
      }),
    );
  });

  it('fails in no other way, whatever the bytes say, and decodes the next page', () => {
    fc.assert(
      fc.property(tokens, fc.nat(), fc.integer({ min: 1, max: 255 }), (list, place, flip) => {
        const { bytes, page } = written(list);
        const at = place % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        try {
          decoded(bytes, page.length);
        } catch (error) {
          expect(error).toBeInstanceOf(PageFault);
        }
        const next = written([{ literal: Buffer.from('next'), lengthBytes: 0 }]);
        expect(decoded(next.bytes, 4).toString()).toBe('next');
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a copy from before the beginning', [8, 0, 97, 1, 2]],
    ['a copy from nowhere', [8, 0, 97, 1, 0]],
    ['a copy from behind the end', [8, 0, 97, 27, 255, 255, 255, 255]],
    ['a literal of two gigabytes', [8, 252, 255, 255, 255, 255, 1]],
    ['a length that is not its own', [9, 28, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['a length without an end', [255, 255, 255, 255, 255, 255]],
    ['nothing', []],
  ])('refuses %s', (_, bytes) => {
    expect(() => decoded(Buffer.from(bytes), 8)).toThrow(PageFault);
  });
});
