import { describe, expect, it } from 'vitest';
import type { DescribedFile } from '../../../src/plan/describe-files.ts';
import { mapFiles } from '../../../src/plan/map-files.ts';
import { csv, csvFile, request, table } from './fixtures.ts';

/** Files with one header, which share its list of columns as the reader of headers gives it. */
function files(names: readonly string[], columns: readonly string[]): DescribedFile[] {
  const description = csv(columns);
  return names.map((name, ordinal) => ({
    ...{ ordinal, file: csvFile(name), description, columns: description.columns as string[] },
  }));
}

async function mapped(described: readonly DescribedFile[], columns: Record<string, null> = {}) {
  const existing = table();
  const planned = { ...existing, create: null, newColumns: [] };
  const target = { existing, planned, key: ['id'], versionColumn: null, notices: [] };
  return mapFiles(described, target, request({ columns }), () => false);
}

describe('files with one header', () => {
  it('are mapped once, and share where their columns go', async () => {
    const { targets, notices } = await mapped(
      [...files(['a.csv', 'b.csv'], ['id', 'name']), ...files(['c.csv'], ['name', 'id'])],
      { name: null },
    );
    expect(targets).toEqual([
      ['id', null],
      ['id', null],
      [null, 'id'],
    ]);
    expect(targets[1]).toBe(targets[0]);
    expect(notices).toEqual(['Left out as asked for: name.']);
  });

  it('have their problems told for each', async () => {
    await expect(mapped(files(['a.csv', 'b.csv'], ['id', 'nonsense']))).rejects.toMatchObject({
      record: {
        facts: {
          problems: [
            expect.stringContaining('a.csv') as unknown,
            expect.stringContaining('b.csv') as unknown,
          ],
        },
      },
    });
  });
});
