import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import { chooseKey, keyOfNewTable } from '../../../src/plan/choose-key.ts';
import type { LoadRequest } from '../../../src/job/schema.ts';
import type { UniqueIndex } from '../../../src/target/table.ts';
import { table } from './fixtures.ts';

const PAIR: UniqueIndex = {
  name: 'orders_name_amount',
  columns: ['name', 'amount'],
  primary: false,
  arbiter: true,
};
const PARTIAL: UniqueIndex = {
  name: 'partial',
  columns: ['amount'],
  primary: false,
  arbiter: false,
};
const ORDERS = table({ uniqueIndexes: [...table().uniqueIndexes, PAIR, PARTIAL] });

function asked(
  key: readonly string[] | null,
  onConflict: LoadRequest['onConflict'] = 'update',
): Pick<LoadRequest, 'key' | 'onConflict'> {
  return { key: key === null ? null : [...key], onConflict };
}

function errorOf(work: () => unknown): EtlError {
  try {
    work();
  } catch (error) {
    if (error instanceof EtlError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the key of a load into a table', () => {
  it.each([
    ['the primary key by default', null, ['id']],
    ['what is named', ['id'], ['id']],
    ['what is named, whatever the case', ['ID'], ['id']],
    ['in the order of the index', ['amount', 'name'], ['name', 'amount']],
  ])('is %s', (_, key, expected) => {
    expect(chooseKey(asked(key), ORDERS)).toEqual(expected);
  });

  it('is empty with append, whatever is named', () => {
    expect(chooseKey(asked(['nope'], 'append'), ORDERS)).toEqual([]);
  });

  it('must have a unique index, and the error says which there are and how to add one', () => {
    const { code, record } = errorOf(() => chooseKey(asked(['name']), ORDERS));
    expect(code).toBe('ETL_KEY_INVALID');
    expect(record.sentence).toContain('(id) of orders_pkey; (name, amount) of orders_name_amount');
    expect(record.remedy).toContain('alter table app.orders add unique (name);');
  });

  it('must have an index that ON CONFLICT can use', () => {
    const { record } = errorOf(() => chooseKey(asked(['amount']), ORDERS));
    expect(record.sentence).toContain(
      'partial is partial, deferrable, invalid, on expressions or of another collation',
    );
  });

  it.each([
    ['an unknown column', ['nam'], 'Did you mean "name"?'],
    ['a column twice', ['id', 'ID'], 'twice'],
  ])('refuses %s', (_, key, sentence) => {
    expect(errorOf(() => chooseKey(asked(key), ORDERS)).message).toContain(sentence);
  });

  it('cannot be guessed where there is no primary key, or a deferrable one', () => {
    const none = errorOf(() => chooseKey(asked(null), table({ uniqueIndexes: [PAIR] })));
    expect(none.message).toContain('has no primary key');
    expect(none.message).toContain('orders_name_amount');
    const deferrable = { name: 'pk', columns: ['id'], primary: true, arbiter: false };
    const late = errorOf(() => chooseKey(asked(null), table({ uniqueIndexes: [deferrable] })));
    expect(late.message).toContain('deferrable');
    expect(late.message).toContain('no unique key that could be used');
  });
});

describe('the key of a table that is created', () => {
  it('is what is named, as the files spell it', () => {
    expect(keyOfNewTable(asked(['row_id']), ['Row ID', 'x'], 'public.t')).toEqual(['Row ID']);
    expect(keyOfNewTable(asked(null, 'append'), ['Row ID'], 'public.t')).toEqual([]);
  });

  it('must be named', () => {
    const error = errorOf(() => keyOfNewTable(asked(null), ['Row ID', 'x'], 'public.t'));
    expect(error.code).toBe('ETL_KEY_INVALID');
    expect(error.message).toContain('Row ID, x');
    expect(error.record.remedy).toContain('--key');
  });
});

it('a unique key is to be named where there is one, and added where there is none', () => {
  const remedyFor = (uniqueIndexes: readonly UniqueIndex[]): string =>
    errorOf(() => chooseKey(asked(['amount']), table({ uniqueIndexes }))).record.remedy;
  expect(remedyFor([PAIR])).toMatch(/^Name one of them with --key, or add one: alter table /);
  expect(remedyFor([PARTIAL])).toMatch(/^Add one: alter table /);
});
