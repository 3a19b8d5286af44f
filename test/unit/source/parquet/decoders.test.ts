import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompressPage } from '../../../../src/source/parquet/decompress-page.ts';
import { decodeRuns } from '../../../../src/source/parquet/level-runs.ts';
import {
  decompressLz4Block,
  decompressLz4Hadoop,
} from '../../../../src/source/parquet/lz4-block.ts';
import { crc32ByTable } from '../../../../src/source/parquet/page-crc.ts';
import { refuseEndlessNumbers } from '../../../../src/source/parquet/thrift-guard.ts';

/** One run: a value repeated, or groups of eight values packed. */
type Run = { repeat: number; value: number } | { packed: readonly number[] };

function encode(runs: readonly Run[], bitWidth: number): Buffer {
  const bytes: number[] = [];
  const varint = (value: number): void => {
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return void bytes.push(rest);
      bytes.push((rest % 128) + 128);
    }
  };
  for (const run of runs) {
    if ('repeat' in run) {
      varint(run.repeat * 2);
      for (let i = 0; i < Math.ceil(bitWidth / 8); i++)
        bytes.push(Math.floor(run.value / 256 ** i) % 256);
    } else {
      varint((run.packed.length / 8) * 2 + 1);
      let bits = 0n;
      for (const [i, value] of run.packed.entries()) bits |= BigInt(value) << BigInt(i * bitWidth);
      for (let i = 0; i < (run.packed.length * bitWidth) / 8; i++) {
        bytes.push(Number((bits >> BigInt(i * 8)) & 255n));
      }
    }
  }
  return Buffer.from(bytes);
}

describe('decodeRuns', () => {
  const arbitrary = fc.integer({ min: 1, max: 32 }).chain((bitWidth) => {
    const value = fc.integer({ min: 0, max: 2 ** bitWidth - 1 });
    const run = fc.oneof(
      fc.record({ repeat: fc.integer({ min: 1, max: 300 }), value }),
      fc
        .integer({ min: 1, max: 4 })
        .chain((groups) => fc.array(value, { minLength: groups * 8, maxLength: groups * 8 }))
        .map((packed) => ({ packed })),
    );
    return fc.record({
      bitWidth: fc.constant(bitWidth),
      runs: fc.array(run, { minLength: 1, maxLength: 6 }),
    });
  });

  it('decodes what was encoded, at every bit width', () => {
    fc.assert(
      fc.property(arbitrary, ({ bitWidth, runs }) => {
        const values = runs.flatMap((run) =>
          'repeat' in run ? Array.from({ length: run.repeat }, () => run.value) : run.packed,
        );
        const bytes = encode(runs, bitWidth);
        const out = new Uint32Array(values.length);
        decodeRuns(bytes, 0, bytes.length, bitWidth, out);
        expect([...out]).toEqual(values);
      }),
    );
  });

  it('refuses runs that end too early or say nothing', () => {
    const out = new Uint8Array(9);
    expect(() => decodeRuns(Buffer.from([]), 0, 0, 1, out)).toThrow(/ends before/);
    expect(() => decodeRuns(Buffer.from([4]), 0, 1, 1, out)).toThrow(/no value/);
    expect(() => decodeRuns(Buffer.from([0, 1]), 0, 2, 1, out)).toThrow(/empty/);
    expect(() => decodeRuns(Buffer.from([3, 255]), 0, 2, 8, out)).toThrow(/packed/);
    expect(() => decodeRuns(Buffer.from([2, 1]), 0, 2, 33, out)).toThrow(/bit width/);
    const endless = Buffer.alloc(20, 0xff);
    expect(() => decodeRuns(endless, 0, 20, 1, out)).toThrow(/length of a run/);
  });
});

describe('LZ4', () => {
  // "abcabcabcabcZ": three literals, a match of nine bytes at distance three, a literal.
  const block = Buffer.from([0x35, 0x61, 0x62, 0x63, 3, 0, 0x10, 0x5a]);

  it('decodes matches that overlap themselves', () => {
    expect(Buffer.from(decompressLz4Block(block, 13)).toString()).toBe('abcabcabcabcZ');
  });

  it('decodes lengths beyond 15', () => {
    const literals = Buffer.alloc(300, 'x');
    const long = Buffer.concat([Buffer.from([0xf0, 255, 30]), literals]);
    expect(Buffer.from(decompressLz4Block(long, 300))).toEqual(literals);
  });

  it('knows blocks as Hadoop frames them, and without a frame', () => {
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(13, 0);
    frame.writeUInt32BE(block.length, 4);
    const framed = Buffer.concat([frame, block, frame, block]);
    expect(Buffer.from(decompressLz4Hadoop(framed, 26)).toString()).toBe('abcabcabcabcZ'.repeat(2));
    expect(Buffer.from(decompressLz4Hadoop(block, 13)).toString()).toBe('abcabcabcabcZ');
  });

  it('refuses what leaves its bounds', () => {
    expect(() => decompressLz4Block(block, 12)).toThrow(/damaged/);
    expect(() => decompressLz4Block(block, 14)).toThrow(/short/);
    expect(() => decompressLz4Block(Buffer.from([0x35, 0x61, 0x62, 0x63, 9, 0]), 13)).toThrow();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 100 }), (bytes, size) => {
        try {
          expect(decompressLz4Block(bytes, size)).toHaveLength(size);
        } catch (error) {
          expect((error as Error).message).toMatch(/LZ4/);
        }
      }),
    );
  });
});

describe('decompressPage', () => {
  it('gives pages alone in their buffer, whatever the codec', () => {
    const slice = Buffer.from('0123456789').subarray(2, 5);
    const page = decompressPage(slice, 3, 'UNCOMPRESSED');
    expect(Buffer.from(page).toString()).toBe('234');
    expect(page.buffer.byteLength).toBe(3);
  });

  it('takes empty pages of every codec', () => {
    for (const codec of ['SNAPPY', 'GZIP', 'BROTLI', 'ZSTD', 'LZ4', 'LZ4_RAW'] as const) {
      expect(decompressPage(new Uint8Array(0), 0, codec)).toHaveLength(0);
    }
  });
});

it('the table gives the CRC-32 of zlib', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(crc32ByTable(bytes)).toBe(crc32(bytes));
    }),
  );
});

it('numbers that do not end are refused, texts are not', () => {
  expect(() => refuseEndlessNumbers(Buffer.alloc(100_000, 0x80))).toThrow(/damaged/);
  expect(() => refuseEndlessNumbers(Buffer.from('a'.repeat(200_000)))).not.toThrow();
});
