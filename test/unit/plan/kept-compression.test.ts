import { describe, expect, it } from 'vitest';
import type { LoadRequest } from '../../../src/job/schema.ts';
import { compressionNotices } from '../../../src/plan/kept-compression.ts';
import type { FilePlan } from '../../../src/plan/plan-types.ts';
import type { KeptAs } from '../../../src/target/compressions.ts';
import { column, filePlan, table } from './fixtures.ts';

const existing = table({
  oid: 815,
  sqlName: 'pages',
  columns: [column('id', 'int8'), column('page'), column('order')],
});

interface World {
  readonly asked?: LoadRequest['compression'];
  readonly page?: KeptAs;
  readonly methods?: readonly string[];
  readonly files?: readonly FilePlan[];
}

/** What is said of pages (id, page, order), into whose `page` the contents of documents go. */
async function notices({
  asked = {},
  page = 'pglz',
  methods = ['pglz', 'lz4'],
  files = documents([20_000]),
}: World = {}): Promise<string[]> {
  const kept = new Map<string, KeptAs>([
    ['page', page],
    ['order', 'pglz'],
  ]);
  const catalog = {
    compressions: async () => methods,
    keptCompressions: async (oid: number) => (oid === 815 ? kept : new Map<string, KeptAs>()),
  };
  return compressionNotices({ compression: asked }, { existing }, files, { catalog });
}

function documents(sizes: readonly number[], more: Partial<FilePlan> = {}): FilePlan[] {
  return sizes.map((bytes, ordinal) => ({
    ...filePlan(ordinal, { format: 'document', bytes }),
    description: {
      kind: 'document',
      columns: [
        { name: 'id', source: { kind: 'placeholder', name: 'id' } },
        { name: 'content', source: { kind: 'content' } },
      ],
    } as unknown as FilePlan['description'],
    targets: ['id', 'page'],
    ...more,
  }));
}

describe('large values of a table that exists', () => {
  it('contents of documents by pglz: how to have LZ4, which is cheaper', async () => {
    expect(await notices()).toEqual([
      'pages keeps large values of page by pglz; LZ4 takes the server a fifth of the CPU. For those that come from now on: alter table pages alter column page set compression lz4;',
    ]);
  });

  it.each([
    ['by LZ4', { page: 'lz4' as const }],
    ['as they are', { page: 'none' as const }],
    ['by pglz, on a server without LZ4', { methods: ['pglz'] }],
    ['by pglz, and small', { files: documents([3_000, 900]) }],
    ['by pglz, and put elsewhere', { files: documents([20_000], { targets: ['id', 'order2'] }) }],
    [
      'by pglz, and loaded already',
      { files: documents([20_000], { skip: { runId: 'r', loadedAt: '', rows: 1 } }) },
    ],
  ])('contents of documents %s: nothing', async (_, more) => {
    expect(await notices(more)).toEqual([]);
  });

  it.each<[keyof typeof KEPT, LoadRequest['compression'], string]>([
    ['by pglz', { Page: 'none' }, 'alter column page set storage external;'],
    ['by pglz', { page: 'lz4' }, 'alter column page set compression lz4;'],
    ['by LZ4', { page: 'pglz' }, 'alter column page set compression pglz;'],
    [
      'as they are',
      { page: 'fast' },
      'alter column page set storage extended, alter column page set compression lz4;',
    ],
  ])('%s, and asked for as %o: how to have that', async (words, asked, alter) => {
    const [notice, ...others] = await notices({ asked, page: KEPT[words] });
    expect(others).toEqual([]);
    expect(notice).toContain(`pages keeps large values of page ${words}; compression asks for `);
    expect(notice).toContain(`For those that come from now on: alter table pages ${alter}`);
  });

  it('a name that SQL reserves is quoted; without LZ4 the fastest is none', async () => {
    const [notice] = await notices({ asked: { order: 'fast' }, methods: ['pglz'] });
    expect(notice).toMatch(/alter column "order" set storage external;$/);
  });

  it.each<[string, LoadRequest['compression'], KeptAs]>([
    ['kept as asked', { page: 'none' }, 'none'],
    ['LZ4 that the server does not have', { page: 'lz4' }, 'pglz'],
    ['asked of a column that is not there', { pages: 'none' }, 'pglz'],
    ['asked of values that are all of one size', { id: 'pglz' }, 'none'],
  ])('%s: nothing', async (_, asked, page) => {
    expect(await notices({ asked, page, methods: ['pglz'] })).toEqual([]);
  });
});

const KEPT = { 'by pglz': 'pglz', 'by LZ4': 'lz4', 'as they are': 'none' } as const;
