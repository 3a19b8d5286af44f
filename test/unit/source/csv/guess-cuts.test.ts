import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guessCuts } from '../../../../src/source/csv/guess-cuts.ts';
import { csv } from '../../plan/fixtures.ts';
import { temporaryFolder, writeSource } from '../temporary-files.ts';

const folder = temporaryFolder();
const description = csv(['id', 'v']);

async function guessed(content: string, near: readonly number[], field = 0) {
  return guessCuts(writeSource(folder, 'guess.csv', content), description, near, field);
}

describe('guessed cuts', () => {
  it('are where records begin, with their keys, whatever the line ends and the quotes are', async () => {
    const value = fc.constantFrom('a', '"say ""hi"""', '"a,b"', '', '"a\nb"', '"\r\n"');
    const texts = fc.record({
      values: fc.array(value, { minLength: 30, maxLength: 60 }),
      end: fc.constantFrom('\n', '\r\n', '\r'),
      near: fc.array(fc.nat({ max: 100 }), { minLength: 1, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(texts, async ({ values, end, near }) => {
        const records = values.map((each, id) => `${1_000 + id},${each}${end}`);
        const starts = new Map<number, string>();
        let at = `id,v${end}`.length;
        for (const [id, record] of records.entries()) {
          starts.set(at, String(1_000 + id));
          at += record.length;
        }
        const found = await guessed(`id,v${end}${records.join('')}`, near);
        expect(found?.dataStart).toBe(`id,v${end}`.length);
        expect(found?.lineEnd).toBe(end === '\n' ? 'LF' : end === '\r' ? 'CR' : 'CR LF');
        for (const [place, cut] of found?.cuts.entries() ?? []) {
          expect(starts.get(cut.at)).toBe(cut.key);
          expect(cut.at).toBeGreaterThan(near[place] ?? 0);
        }
      }),
    );
  });

  it('lie between two keys', async () => {
    const content = 'id,v\n1,a\n1,b\n1,c\n2,d\n2,e\n3,f\n';
    expect((await guessed(content, [5, 18]))?.cuts).toEqual([
      { at: content.indexOf('2,d'), key: '2' },
      { at: content.indexOf('3,f'), key: '3' },
    ]);
    expect((await guessed(content, [5], 1))?.cuts).toEqual([
      { at: content.indexOf('1,c'), key: 'c' },
    ]);
  });

  it('come to their senses behind a quoted field with lines in it', async () => {
    const text = '"first\nsecond, of\nthird""x\nfourth"';
    const rows = Array.from({ length: 9 }, (_, id) => `${id},${id === 2 ? text : 'v'}\n`);
    const content = `id,v\n${rows.join('')}`;
    expect((await guessed(content, [content.indexOf('irst')]))?.cuts).toEqual([
      { at: content.indexOf('4,v'), key: '4' },
    ]);
  });

  it.each([
    ['there is no second key', 'id,v\n1,a\n1,b\n1,c\n1,d\n'],
    ['records have other fields', 'id,v\n1,a,b\n2,a,b\n3,a,b\n4,a,b\n'],
    ['there is no end of a record', 'id,v\n1,"a'],
    ['there is nothing but a header', 'id,v'],
  ])('are none where %s', async (_, content) => {
    expect(await guessed(content, [5])).toBeNull();
  });

  it('of long records read farther', async () => {
    const long = 'x'.repeat(200_000);
    const rows = Array.from({ length: 6 }, (_, id) => `${id},${long}\n`);
    const content = `id,v\n${rows.join('')}`;
    const [cut] = (await guessed(content, [10]))?.cuts ?? [];
    expect(cut).toEqual({ at: content.indexOf('\n2,x') + 1, key: '2' });
  });
});
