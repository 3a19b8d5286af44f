import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textArray } from '../../src/target/text-array.ts';
import { useScene } from '../support/scene.ts';

const scene = useScene((table) => `create table ${table} (id bigint primary key)`);

/** Texts of the marks that mean something in an array, and of any others but NUL. */
const texts = fc.oneof(
  fc.constantFrom('null', 'NULL', '', ' ', '\\', '"', '\\"', '{}', ',', '\n', '\t', 'a,b', '1'),
  fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
  fc.string({ unit: fc.constantFrom('"', '\\', ',', '{', '}', 'n', 'N', ' ', '\r', '\v', 'ä') }),
);

test('the server reads the texts that were written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(texts), { maxLength: 30 }), async (values) => {
      const [row] = await scene.db.query('select $1::text[] as read', [textArray(values)]);
      expect(row?.['read']).toEqual(values);
    }),
    { numRuns: 200 },
  );
});
