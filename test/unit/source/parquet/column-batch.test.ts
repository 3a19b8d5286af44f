import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spreadValues } from '../../../../src/source/parquet/column-batch.ts';
import { reusedMemory } from '../../../../src/source/parquet/page-memory.ts';

describe('spreadValues', () => {
  it('puts values where rows have one, and 0 elsewhere, whatever the memory held before', () => {
    const memory = reusedMemory(1024 * 1024);
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 1, max: 0xffff_ffff }))), (rows) => {
        memory.nextPage();
        // Thrice as much as is taken next, so that all of it was written to.
        for (let slot = 0; slot < 3; slot++) memory.words(rows.length).fill(0xdead_beef);
        memory.nextPage();
        const present = rows.filter((value) => value !== null);
        const dense = Uint32Array.from(present);
        const validity = Uint8Array.from(rows, (value) => (value === null ? 0 : 1));
        const expected = rows.map((value) => value ?? 0);
        const bytes = {
          kind: 'bytes',
          data: new Uint8Array(0),
          starts: dense,
          ends: dense,
        } as const;

        const { indexes } = spreadValues({ values: bytes, indexes: dense }, validity, memory);
        expect([...(indexes ?? [])]).toEqual(expected);
        const { values } = spreadValues({ values: bytes, indexes: null }, validity, memory);
        expect(values).toMatchObject({ kind: 'bytes' });
        if (values.kind !== 'bytes') return;
        expect([...values.starts]).toEqual(expected);
        expect([...values.ends]).toEqual(expected);
      }),
    );
  });
});
