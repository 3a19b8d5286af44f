import { describe, expect, it } from 'vitest';
import { mergeChangedSql } from '../../../src/target/changed-rows-sql.ts';
import { mergeSql, winnersSql, type MergeTarget } from '../../../src/target/merge-sql.ts';
import type { StagingTable } from '../../../src/target/staging.ts';
import { column } from '../plan/fixtures.ts';

const NAMES = ['id', 'content', 'at'] as const;
const PAGES: MergeTarget = {
  schema: 'app',
  name: 'pages',
  columns: [column('id', 'int8'), column('content'), column('at', 'int4')],
  key: ['id'],
  onConflict: 'update',
  versionColumn: null,
};
const STAGED: StagingTable = {
  sqlName: 'staged',
  kind: 'temp',
  fileColumn: false,
  columns: NAMES.map((target, place) => ({
    ...{ name: `c${place}`, sqlType: 'text', collation: null, notNull: false },
    ...{ target, cast: null },
  })),
};
const SOURCE = { tables: [STAGED], file: null, owner: null };

const ROWS = 'select 0 as etl_file, etl_row, c0 as v0, c1 as v1, c2 as v2 from staged';

describe('the merge', () => {
  it('without column policies is one sort and one upsert', () => {
    expect(mergeSql(PAGES, SOURCE)).toBe(
      `insert into "app"."pages" as t ("id", "content", "at")
select distinct on (s.v0) s.v0, s.v1, s.v2
  from (${ROWS}) s
 order by s.v0, s.etl_file desc, s.etl_row desc
on conflict ("id") do update set "content" = excluded."content", "at" = excluded."at"
 where row(t."content", t."at")::record *<> row(excluded."content", excluded."at")::record`,
    );
  });

  it('with insertOnly takes these from the first row, and never sets them', () => {
    const target = { ...PAGES, insertOnly: ['at'] };
    expect(winnersSql(target, SOURCE)).toBe(
      `select distinct on (s.v0) s.v0, s.v1, s.f2 as v2
  from (select r.*,
         last_value(r.v2) over whole as f2
          from (${ROWS}) r
        window backwards as (partition by r.v0 order by r.etl_file desc, r.etl_row desc),
               whole as (backwards rows between unbounded preceding and unbounded following)) s
 order by s.v0, s.etl_file desc, s.etl_row desc`,
    );
    expect(mergeSql(target, SOURCE)).toContain('do update set "content" = excluded."content"\n');
    expect(mergeSql({ ...PAGES, insertOnly: ['at', 'content'] }, SOURCE)).toMatch(/ do nothing$/);
  });

  it('with compare sees the table before it writes, and sorts once all the same', () => {
    const sql = mergeChangedSql({ ...PAGES, compare: ['content'] }, SOURCE);
    expect(sql).toContain('row(r.v1)::record *<> row(lead(r.v1) over backwards)::record as turned');
    expect(sql).toContain('where s.begins or s.turned');
    expect(sql).toContain('where w.turned or (select o."content" is not distinct from w.v1 from');
    expect(sql.match(/order by \S+, s\.etl_file/g)).toHaveLength(1);
  });
});
