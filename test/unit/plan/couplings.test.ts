import { describe, expect, it } from 'vitest';
import { findCouplings, refusingColumns } from '../../../src/plan/couplings.ts';
import type { TargetTable, UniqueIndex } from '../../../src/target/table.ts';
import { column, table, type } from './fixtures.ts';

const ALL = new Set(['id', 'name', 'amount']);

function found(more: Partial<TargetTable>, key = ['id'], brought: ReadonlySet<string> = ALL) {
  return findCouplings(table(more), key, brought).map((one) => `${one.kind} ${one.name}`);
}

function unique(name: string, columns: readonly string[], more: Partial<UniqueIndex> = {}) {
  return { name, columns, primary: false, arbiter: true, ...more };
}

describe('what couples rows of different keys', () => {
  it('is nothing in a plain table', () => {
    expect(found({})).toEqual([]);
  });

  it.each<[string, Partial<TargetTable>]>([
    ['exclusion constraint no_overlap', { exclusionConstraints: ['no_overlap'] }],
    ['row trigger audit', { rowTriggers: ['audit'] }],
    ['rule redirect', { rules: ['redirect'] }],
    ['self-reference parent_fk', { selfReferences: ['parent_fk'] }],
    [
      'key not hashable id',
      { columns: [column('id', 'money', { type: type('money', { hashable: false }) })] },
    ],
  ])('is a %s', (expected, more) => {
    expect(found(more)).toEqual([expected]);
  });

  it('says so in a sentence', () => {
    const [one] = findCouplings(table({ rowTriggers: ['audit'] }), ['id'], ALL);
    expect(one?.sentence).toBe('row trigger audit could make the order matter');
  });

  it('is any unique index but the one of the key', () => {
    const primary = unique('pk', ['id'], { primary: true });
    const name = unique('orders_name', ['name']);
    const partial = unique('live_id', ['id'], { arbiter: false });
    const again = unique('id_again', ['id']);
    expect(found({ uniqueIndexes: [primary, name, partial, again] })).toEqual([
      'unique index orders_name',
      'unique index live_id',
    ]);
    expect(found({ uniqueIndexes: [primary, name] }, ['name'])).toEqual(['unique index pk']);
  });

  it('is no unique index on a number that the table itself makes', () => {
    const made = { hasDefault: true, distinctDefault: true } as const;
    const columns = [column('id', 'int8', made), column('name')];
    const uniqueIndexes = [unique('pk', ['id'], { primary: true }), unique('by_name', ['name'])];
    expect(found({ columns, uniqueIndexes }, ['name'], new Set(['name']))).toEqual([]);
    expect(found({ columns, uniqueIndexes }, ['name'], new Set(['id', 'name']))).toEqual([
      'unique index pk',
    ]);
  });

  it('is a unique index with a column whose default is the same for all, or made of others', () => {
    const columns = [
      column('id', 'int8'),
      column('tenant', 'int4', { hasDefault: true }),
      column('folded', 'text', { hasDefault: true, generated: 'stored' }),
      column('name'),
    ];
    const uniqueIndexes = [
      unique('pk', ['id'], { primary: true }),
      unique('tenant_name', ['tenant', 'name']),
      unique('folded_name', ['folded']),
    ];
    expect(found({ columns, uniqueIndexes }, ['id'], new Set(['id', 'name']))).toEqual([
      'unique index tenant_name',
      'unique index folded_name',
    ]);
  });

  it('with append is the primary key, too: the order decides which file fails on it', () => {
    expect(found({}, [])).toEqual(['unique index orders_pkey']);
  });

  it('is an index on expressions, whatever its columns', () => {
    expect(found({ uniqueIndexes: [unique('lower_name', [], { arbiter: false })] })).toEqual([
      'unique index lower_name',
    ]);
  });
});

describe('the columns on which it depends which rows are refused', () => {
  const columnsOf = (more: Partial<TargetTable>) => {
    const existing = table({
      ...more,
      uniqueIndexes: [unique('pk', ['id'], { primary: true }), ...(more.uniqueIndexes ?? [])],
    });
    return refusingColumns(existing, findCouplings(existing, ['id'], ALL));
  };

  it('are those of the other unique indexes', () => {
    const uniqueIndexes = [unique('by_name', ['name']), unique('two', ['name', 'amount'])];
    expect(columnsOf({ uniqueIndexes })).toEqual(['name', 'amount']);
    expect(columnsOf({ uniqueIndexes, selfReferences: ['parent'] })).toEqual(['name', 'amount']);
  });

  it.each<[string, Partial<TargetTable>]>([
    ['an expression', { uniqueIndexes: [unique('lower', [], { arbiter: false })] }],
    ['an exclusion', { exclusionConstraints: ['none_alike'] }],
    [
      'a generated column',
      {
        columns: [column('id'), column('name', 'text', { generated: 'stored' })],
        uniqueIndexes: [unique('by_name', ['name'])],
      },
    ],
  ])('may be any where there is %s', (_, more) => {
    const uniqueIndexes = [unique('by_amount', ['amount']), ...(more.uniqueIndexes ?? [])];
    expect(columnsOf({ ...more, uniqueIndexes })).toBeNull();
  });
});
