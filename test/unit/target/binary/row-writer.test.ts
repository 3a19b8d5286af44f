import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { present } from '../../../../src/assert.ts';
import { writeByColumn } from '../../../../src/target/binary/column-writer.ts';
import { rowsBytes } from '../../../../src/target/binary/field-values.ts';
import type { FieldColumn, FieldValues } from '../../../../src/target/binary/field-values.ts';
import { rowWriter } from '../../../../src/target/binary/row-writer.ts';

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

function numbers(width: 1 | 2 | 4 | 8, count: number): fc.Arbitrary<FieldValues> {
  const words = width === 8 ? 2 * count : count;
  return fc.array(word, { minLength: words, maxLength: words }).map((data) => {
    if (width === 1) return { width, data: Uint8Array.from(data) };
    return { width, data: Int32Array.from(data) };
  });
}

/** Slices in any order, some of them empty, of bytes that do not begin where their buffer does. */
function slices(count: number): fc.Arbitrary<FieldValues> {
  return fc
    .record({
      texts: fc.array(fc.uint8Array({ maxLength: 120 }), { minLength: count, maxLength: count }),
      version: fc.constantFrom(null, 1),
      before: fc.nat({ max: 9 }),
    })
    .map(({ texts, version, before }) => {
      const bytes = Uint8Array.from([...new Uint8Array(before), ...texts.flatMap((t) => [...t])]);
      const data = bytes.subarray(before);
      const ends = Uint32Array.from(texts);
      let end = 0;
      texts.forEach((text, i) => (ends[i] = end += text.length));
      const starts = ends.map((at, i) => at - present(texts[i], 'its text').length);
      return { width: 'any', data, starts, ends, version };
    });
}

function columnOf(rows: number): fc.Arbitrary<FieldColumn> {
  const bits = fc.array(fc.nat({ max: 1 }), { minLength: rows, maxLength: rows });
  return fc.nat({ max: 3 }).chain((spare) => {
    const count = rows + spare;
    const index = fc.nat({ max: count - 1 });
    return fc.record({
      fields: fc.oneof(
        slices(count),
        ...([1, 2, 4, 8] as const).map((width) => numbers(width, count)),
      ),
      indexes: fc.option(
        fc.array(index, { minLength: rows, maxLength: rows }).map((list) => Uint32Array.from(list)),
      ),
      validity: fc.option(bits.map((list) => Uint8Array.from(list))),
    });
  });
}

const table = fc
  .integer({ min: 1, max: 12 })
  .chain((rows) =>
    fc.tuple(fc.constant(rows), fc.array(columnOf(rows), { maxLength: 6 }), fc.boolean()),
  );

test('the loop that is made for some widths writes what is written column by column', () => {
  fc.assert(
    fc.property(table, fc.nat({ max: 2 ** 52 }), ([rows, columns, ordinal], first) => {
      const bytes = rowsBytes(columns, rows, ordinal ? 14 : 2);
      const [byRow, byColumn] = [Buffer.alloc(bytes, 1), Buffer.alloc(bytes, 2)];
      const write = present(rowWriter(columns, ordinal), 'a loop');
      const view = (buffer: Buffer) => new DataView(buffer.buffer, buffer.byteOffset, bytes);
      expect(write(columns, rows, view(byRow), byRow, first)).toBe(bytes);
      expect(writeByColumn(columns, rows, view(byColumn), ordinal ? first : null)).toBe(bytes);
      expect(byRow.equals(byColumn)).toBe(true);
    }),
  );
});

test('for many columns, or where Node makes no code of text, there is no such loop', () => {
  const column = { fields: { width: 1, data: new Uint8Array(1) }, indexes: null, validity: null };
  const columns = (count: number) => Array.from({ length: count }, () => column as FieldColumn);
  expect(rowWriter(columns(32), true)).not.toBe(null);
  expect(rowWriter(columns(33), true)).toBe(null);
  const module = new URL('../../../../src/target/binary/row-writer.ts', import.meta.url).href;
  const code = `import { rowWriter } from ${JSON.stringify(module)};
    console.log(rowWriter([], true));`;
  const words = ['--import', 'tsx', '--disallow-code-generation-from-strings'];
  const { stdout } = spawnSync(process.execPath, [...words, '--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('null\n');
}, 30_000);
