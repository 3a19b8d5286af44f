import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CsvOptions } from '../../../../src/job/schema.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { describeCsv, newHeaders } from '../../../../src/source/csv/describe-csv.ts';
import { findDataStart } from '../../../../src/source/csv/data-start.ts';
import { delimiterOfHeader, detectDelimiter } from '../../../../src/source/csv/detect-delimiter.ts';
import type { CsvDialect } from '../../../../src/source/source-file.ts';
import { csvOptions, described, temporaryFolder, writeSource } from '../temporary-files.ts';

const folder = temporaryFolder();

function describer(options: Partial<CsvOptions> = {}) {
  const headers = newHeaders();
  const one = (name: string, text: string | Buffer) =>
    describeCsv(writeSource(folder, name, text), csvOptions(options), headers);
  return { headers, one };
}

describe('files with the same header', () => {
  it('share its description, which is made once', async () => {
    const { headers, one } = describer();
    const first = await one('a.csv', 'id,"full name"\n1,x\n');
    for (let file = 0; file < 5; file++) {
      expect(await one(`b${file}.csv`, `id,"full name"\n${file},"y;z"\n`)).toBe(first);
    }
    expect(headers.size).toBe(1);
    expect(await one('c.csv', 'id,name\n1,x\n')).not.toBe(first);
    expect(headers.size).toBe(2);
  });

  it('are told apart by their records where the header leaves the delimiter open', async () => {
    const { headers, one } = describer();
    const comma = await one('comma.csv', 'a;b,c;d\n1,2\n3,4\n5,6\n');
    const semicolon = await one('semicolon.csv', 'a;b,c;d\n1;2;3\n4;5;6\n');
    expect(comma.columns).toEqual(['a;b', 'c;d']);
    expect(semicolon.columns).toEqual(['a', 'b,c', 'd']);
    expect(headers.size).toBe(0);
  });

  it('are told apart by the end of their names', async () => {
    const { one } = describer();
    expect((await one('bar.csv', 'a\tb|c|d\n1|2|3\n')).columns).toEqual(['a\tb', 'c', 'd']);
    expect((await one('tab.tsv', 'a\tb|c|d\n1\t2\n')).columns).toEqual(['a', 'b|c|d']);
    expect((await one('bar.csv', 'a\tb|c|d\n1|2|3\n')).columns).toEqual(['a\tb', 'c', 'd']);
  });

  it('are still looked at each for itself', async () => {
    const { one } = describer();
    await one('good.csv', 'a,b\n1,2\n');
    const latin1 = Buffer.from('a,b\n1,\xe9\n', 'latin1');
    await expect(one('latin1.csv', latin1)).rejects.toMatchObject({ code: 'ETL_FILE_FORMAT' });
    await expect(one('nul.csv', 'a,b\n1,\0\n')).rejects.toMatchObject({ code: 'ETL_FILE_FORMAT' });
    await expect(one('double.csv', 'a,a\n1,2\n')).rejects.toMatchObject({
      code: 'ETL_COLUMN_DUPLICATE',
    });
    await expect(one('again.csv', 'a,a\n1,2\n')).rejects.toMatchObject({
      record: { facts: { file: 'again.csv' } },
    });
  });

  it('share nothing where there is no header, and only so many are kept', async () => {
    const none = describer({ header: false });
    await none.one('none.csv', '1,2\n');
    expect(none.headers.size).toBe(0);
    const { headers, one } = describer();
    for (let file = 0; file < LIMITS.headersKeptMax + 3; file++) {
      expect((await one('many.csv', `a,b${file}\n`)).columns).toEqual(['a', `b${file}`]);
    }
    expect(headers.size).toBe(LIMITS.headersKeptMax);
  });

  it('are described as each alone would be, whatever they hold', async () => {
    const piece = fc.constantFrom('a', 'b', ',', ';', '|', '"', '""', '"x;y"', ' ', '\n', '1');
    const text = fc.array(piece, { minLength: 1, maxLength: 9 }).map((pieces) => pieces.join(''));
    const outcome = (work: Promise<unknown>): Promise<unknown> =>
      work.catch((error: unknown) => String(error));
    await fc.assert(
      fc.asyncProperty(text, fc.array(text, { minLength: 2, maxLength: 3 }), async (head, rest) => {
        const { one } = describer();
        for (const [index, records] of rest.entries()) {
          const name = `random${index}.csv`;
          const content = `${head}\n${records}\n`;
          const shared = await outcome(one(name, content));
          expect(shared).toEqual(await outcome(described(writeSource(folder, name, content))));
        }
      }),
      { numRuns: 80, seed: 3 },
    );
  });
});

it('settles by the header alone what the records would settle, too', () => {
  const piece = fc.constantFrom('a', 'b', ',', ';', '|', '"', '""', '"x;y"', ' ', '\n', '\t', '1');
  const text = fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(''));
  const dialectWith = (delimiter: string): CsvDialect => ({
    ...csvOptions(),
    delimiter,
    escape: '"',
    quote: '"',
  });
  let settled = 0;
  fc.assert(
    fc.property(text, text, (head, records) => {
      const bytes = Buffer.from(`${head}\n${records}`);
      const { header } = findDataStart(bytes, dialectWith(','), true) ?? {};
      if (header == null) return;
      const ofHeader = delimiterOfHeader(
        bytes.toString('utf8', header.start, header.end),
        dialectWith,
      );
      if (ofHeader === null) return;
      settled++;
      expect(detectDelimiter(bytes.toString('utf8', header.start), dialectWith)).toBe(ofHeader);
    }),
    { numRuns: 1_000, seed: 4 },
  );
  expect(settled).toBeGreaterThan(300);
});
