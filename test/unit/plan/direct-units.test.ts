import { describe, expect, it } from 'vitest';
import { findDirectFiles, withWindows } from '../../../src/plan/direct-units.ts';
import type { PlannedFiles } from '../../../src/plan/plan-files.ts';
import type { FilePlan, UnitPlan } from '../../../src/plan/plan-types.ts';
import type { Target } from '../../../src/plan/target-table.ts';
import type { DocumentDescription } from '../../../src/source/source-file.ts';
import type { TargetTable } from '../../../src/target/table.ts';
import { column, filePlan, table } from './fixtures.ts';

/** Files of 100 keys each, one above the other, into app.orders. */
function files(count: number): FilePlan[] {
  return Array.from({ length: count }, (_, file) =>
    filePlan(file, { keyMin: String(1000 + file * 100), keyMax: String(1099 + file * 100) }),
  );
}

function planned(count: number, more: Partial<PlannedFiles> = {}): PlannedFiles {
  return {
    files: files(count),
    overlap: {
      ...{ pairs: [], sampledKeys: 100, totalRows: 100, missedShareMax: 0, sentence: '' },
      ...{ multiplicity: 1, sampled: true },
    },
    multiplicityInside: 1,
    ordered: new Set(files(count).keys()),
    scattered: new Set(),
    rising: new Set(files(count).keys()),
    notices: [],
    ...more,
  };
}

function target(more: Partial<TargetTable> = {}): Target {
  const existing = table(more);
  const { oid, schema, name, sqlName, columns, estimatedRows, empty } = existing;
  return {
    planned: { oid, schema, name, sqlName, columns, estimatedRows, empty, create: null },
    ...{ existing, key: ['id'], versionColumn: null, notices: [] },
  };
}

const DOCUMENT: DocumentDescription = {
  kind: 'document',
  columns: [
    { name: 'id', source: { kind: 'placeholder', place: 0 } },
    { name: 'name', source: { kind: 'content' } },
  ],
  pattern: '{id}.html',
  encoding: 'utf8',
};

/** The files that are found, where the database says these of them lie above. */
async function found(to: Target, from: PlannedFiles, above?: boolean[] | null): Promise<number[]> {
  const spansAbove = async () => (above === undefined ? from.files.map(() => true) : above);
  const direct = await findDirectFiles(to, from, { catalog: { spansAbove } as never });
  return [...(direct?.ordinals ?? [])];
}

describe('files that may be copied directly', () => {
  it('are sorted, new and above the table as far as is known', async () => {
    expect(await found(target(), planned(3))).toEqual([0, 1, 2]);
    expect(await found(target(), planned(3), [true, false, true])).toEqual([0, 2]);
    expect(await found(target(), planned(3), null)).toEqual([]);
    expect(await found(target(), planned(3, { ordered: new Set([1]) }))).toEqual([1]);
  });

  it('rise all the way, where the order is one that a sample can see', async () => {
    const rising = async (to: Target, sorted: readonly number[]) => {
      const from = planned(2, { rising: new Set(sorted) });
      const spansAbove = async () => [true, true];
      const direct = await findDirectFiles(to, from, { catalog: { spansAbove } as never });
      return [...(direct?.rising ?? [])];
    };
    expect(await rising(target(), [0, 1])).toEqual([0, 1]);
    expect(await rising(target(), [1])).toEqual([1]);
    const text = [column('id', 'text', { notNull: true }), column('name')];
    expect(await rising(target({ columns: text }), [0, 1])).toEqual([]);
  });

  it('have no column that is ignored', async () => {
    const [first, second] = files(2);
    const ignoring = [{ ...first, targets: ['id', null] } as FilePlan, second as FilePlan];
    expect(await found(target(), planned(2, { files: ignoring }))).toEqual([1]);
  });

  const overlap = planned(1).overlap;
  it.each([
    ['was not sampled', {}, { overlap: { ...overlap, sampled: false } }],
    ['has keys twice', {}, { overlap: { ...overlap, multiplicity: 1.01 } }],
    ['goes where COPY does not do what INSERT does', { copiesLikeInsert: false }, {}],
    ['couples rows', { rowTriggers: ['audit'] }, {}],
    ['has a key that may be NULL', { columns: [column('id', 'int8'), column('name')] }, {}],
  ] as const)('are none where the load %s', async (_, more, changed) => {
    expect(await found(target(more), planned(2, changed))).toEqual([]);
  });

  it('are documents of which each has a key of its own, where the table has no row', async () => {
    const documents = (keys: number, paths = ['/2.html', '/10.html']): PlannedFiles =>
      planned(2, {
        ordered: new Set(),
        overlap: { ...overlap, sampledKeys: keys },
        files: paths.map((path, file) =>
          filePlan(file, { path, description: DOCUMENT, targets: ['id', 'name'] }),
        ),
      });
    const empty = target({ empty: true });
    expect(await found(empty, documents(2))).toEqual([0, 1]);
    expect(await found(empty, documents(1))).toEqual([]);
    expect(await found(empty, documents(2, ['/2.html', '/02.html']))).toEqual([]);
    expect(await found(target(), documents(2))).toEqual([]);
    expect(await found(empty, planned(2, { ordered: new Set() }))).toEqual([]);
  });

  it('are none where an earlier load makes the table', async () => {
    expect(await found({ ...target(), existing: null }, planned(2))).toEqual([]);
  });
});

describe('windows', () => {
  const units = (groups: readonly (readonly number[])[]): UnitPlan[] =>
    groups.map((group, ordinal) => ({
      ...{ ordinal, files: group, part: null, estimatedRows: 1, bytes: 1, range: null },
    }));
  const windows = (groups: readonly (readonly number[])[], ordinals: readonly number[]) =>
    withWindows(units(groups), files(4), { column: 'id', ordinals: new Set(ordinals) }).map(
      ({ direct }) => (direct === undefined ? null : [direct.from, direct.before]),
    );

  it('do not meet, and leave no key to nobody', () => {
    expect(windows([[0], [1], [2, 3]], [0, 1, 2, 3])).toEqual([
      [null, '1100'],
      ['1100', '1200'],
      ['1200', null],
    ]);
  });

  it('are of those units only all of whose files may be copied directly', () => {
    expect(windows([[0], [1], [2], [3]], [1, 3])).toEqual([
      null,
      [null, '1300'],
      null,
      ['1300', null],
    ]);
    expect(windows([[0], [1, 2], [3]], [0, 1, 3])).toEqual([[null, '1300'], null, ['1300', null]]);
  });

  it('are without bounds where no two rows have one key', () => {
    const direct = { column: 'id', ordinals: new Set([0, 1]), distinct: true } as const;
    const found = withWindows(units([[0], [1]]), files(2), direct).map((unit) => unit.direct);
    expect(found).toEqual(Array(2).fill({ column: 'id', from: null, before: null }));
  });

  it('are none where no file may', () => {
    expect(withWindows(units([[0]]), files(1), null)[0]?.direct).toBeUndefined();
  });
});
