import { describe, expect, test } from 'vitest';
import { type Lookup, useLookups } from '../support/lookups-scene.ts';

/** Lookups that make no sense are refused before anything is read. */
const { scene, lookup, refused, rows } = useLookups();

describe('the plan refuses', () => {
  const COMPANIES = 'day,symbol,price\n1,AAPL,1\n';
  test.for<[string, string, (table: string) => Partial<Lookup>, string, string]>([
    [
      'a table that is missing',
      '',
      () => ({ table: 'nowhere' }),
      'ETL_TABLE_MISSING',
      'create table',
    ],
    [
      'a column that no file has',
      '',
      () => ({ column: 'symbl' }),
      'ETL_COLUMN_MISSING',
      '"symbol"',
    ],
    [
      'a column that the table lacks',
      '',
      () => ({ match: 'symbols' }),
      'ETL_COLUMN_MISSING',
      'symbols',
    ],
    [
      'a match without a unique index',
      'alter table T_companies drop constraint T_companies_symbol_key',
      () => ({}),
      'ETL_KEY_INVALID',
      'create unique index',
    ],
    [
      'an id that may be NULL',
      'alter table T_companies add other int',
      () => ({ id: 'other' }),
      'ETL_KEY_INVALID',
      'set not null',
    ],
    ['an id of another type', '', () => ({ id: 'created_at' }), 'ETL_COLUMN_TYPE', 'company_id'],
    [
      'a case of what has none',
      '',
      () => ({ match: 'id', fold: 'upper' as const }),
      'ETL_COLUMN_TYPE',
      'case',
    ],
    [
      'to create what needs more',
      `alter table T_companies add name text not null default '';
       alter table T_companies alter name drop default`,
      () => ({}),
      'ETL_COLUMN_MISSING',
      'default',
    ],
    [
      'its own target',
      'alter table TARGET add unique (day)',
      (table) => ({ table: `public.${table}`, match: 'day', id: 'day', insertMissing: false }),
      'ETL_USAGE',
      'looked up',
    ],
  ])('%s', async ([, ddl, more, code, words]) => {
    const statement = ddl.replaceAll('TARGET', scene.table).replaceAll('T_', `${scene.table}_`);
    if (ddl !== '') await scene.db.query(statement);
    await scene.write({ 'a.csv': COMPANIES });
    const error = await refused({ lookups: [lookup(more(scene.table))] });
    expect(error).toMatchObject({ record: { code: expect.stringContaining(code) as string } });
    const { message } = error as Error;
    expect(message).toContain(words);
    expect(await rows()).toEqual([]);
  });
});
