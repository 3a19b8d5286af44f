import { describe, expect, it } from 'vitest';
import type { LoadRequest } from '../../../src/job/schema.ts';
import { chooseCompressions } from '../../../src/plan/compression.ts';
import { createSql } from '../../../src/plan/new-table.ts';
import { column } from './fixtures.ts';

const COLUMNS = [column('id', 'int8'), column('page'), column('note')];

function chosen(
  asked: LoadRequest['compression'],
  { methods = ['pglz', 'lz4'], contents = ['page'] } = {},
) {
  let questions = 0;
  const compressions = (): Promise<readonly string[]> => {
    questions += 1;
    return Promise.resolve(methods);
  };
  const table = { contents: new Set(contents), sqlName: 'pages' };
  return chooseCompressions(asked, COLUMNS, table, { compressions }).then((found) => ({
    found: Object.fromEntries(found),
    questions,
  }));
}

describe('large values of a new table', () => {
  it('are compressed by LZ4 where they are contents and the server has it', async () => {
    expect(await chosen({})).toEqual({ found: { page: 'lz4' }, questions: 1 });
    expect(await chosen({}, { methods: ['pglz'] })).toEqual({ found: {}, questions: 1 });
  });

  it('are as the server keeps them where they are no contents, which asks it nothing', async () => {
    expect(await chosen({}, { contents: [] })).toEqual({ found: {}, questions: 0 });
    expect(await chosen({}, { contents: ['id'] })).toEqual({ found: {}, questions: 0 });
  });

  it('are kept as the job says, whatever the case of the name', async () => {
    const asked = { Page: 'none', note: 'pglz' } as const;
    expect(await chosen(asked)).toEqual({ found: { page: 'none', note: 'pglz' }, questions: 0 });
  });

  it('are kept in the fastest way that the server has', async () => {
    const asked = { page: 'fast', note: 'fast' } as const;
    const lz4 = { page: 'lz4', note: 'lz4' };
    expect(await chosen(asked)).toEqual({ found: lz4, questions: 1 });
    const none = { page: 'none', note: 'none' };
    expect(await chosen(asked, { methods: ['pglz'] })).toEqual({ found: none, questions: 1 });
  });

  it.each<[string, LoadRequest['compression'], string]>([
    ['a column is not there', { pages: 'none' }, 'Did you mean "page"?'],
    ['its values are all of one size', { id: 'pglz' }, 'never compressed'],
    ['the server is built without LZ4', { note: 'lz4' }, 'built without LZ4'],
  ])('are refused where %s', async (_, asked, message) => {
    await expect(chosen(asked, { methods: ['pglz'] })).rejects.toThrow(message);
  });

  it('are spelled in the DDL as every version of the server reads it', () => {
    const compressions = new Map([
      ['page', 'none'],
      ['note', 'lz4'],
    ] as const);
    const name = { schema: 'public', name: 'pages' };
    expect(createSql(name, COLUMNS, ['id'], compressions)).toBe(
      `create table public.pages (
  id bigint,
  page text,
  note text compression lz4,
  primary key (id)
);
alter table public.pages alter column page set storage external`,
    );
  });
});
