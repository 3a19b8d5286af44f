import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tableDigest } from '../../tools/oracle.ts';
import { verify } from '../../src/check/verify/verify.ts';
import { defineJob } from '../../src/job/define-job.ts';
import { silentLog } from '../../src/log.ts';
import { expectNoLeaks } from '../support/database.ts';
import { load } from '../support/load.ts';
import { createWorkplace, type Workplace } from '../support/table-pair.ts';

const ROWS = 12_000;

/**
 * A table from which another one inherits: to read it without `only` shows rows that are not its own,
 * with keys that its index knows nothing of. Half of the files' rows stand in the heir, as they are.
 */
describe('a table that others inherit from', () => {
  let place: Workplace;
  let path: string;

  beforeAll(async () => {
    place = await createWorkplace();
    path = join(place.folder, 'rows.csv');
    const rows = Array.from({ length: ROWS }, (_, id) => `${id},v${id}`);
    await writeFile(path, `id,v\n${rows.join('\n')}\n`);
  });
  afterEach(() => expectNoLeaks(place.db.url));
  afterAll(() => place.remove());

  it.each([
    ['most rows unchanged', {}, 'v'],
    ['compared columns', { compare: ['v'] }, 'v'],
    ['half of the rows changed', {}, 'w'],
  ])('holds the rows of the files: %s', async (_, policies, held) => {
    const { db, folder } = place;
    await db.query(
      `drop table if exists parent cascade;
       create table parent (id int primary key, v text);
       create table heir () inherits (parent);
       insert into heir select g, 'v' || g from generate_series(0, ${ROWS / 2}) g;
       insert into heir select g, 'v' || g from generate_series(0, 10) g;
       insert into parent select g, '${held}' || g from generate_series(${ROWS / 2}, ${ROWS - 1}) g`,
    );
    const job = { loads: [{ table: 'parent', files: [path], ...policies }] };
    // Not compared by the client first, which reads the table in another way.
    const { report } = await load(db.url, job, { cwd: folder, comparedRowsMin: 1_000_000 });
    expect(report.error).toBeNull();
    expect(report.loads[0]?.totals.inserted).toBe(ROWS / 2);
    const ofFiles = `(select g as id, 'v' || g as v from generate_series(0, ${ROWS - 1}) g)`;
    const [own] = await db.query(tableDigest('only parent'));
    const [wanted] = await db.query(tableDigest(ofFiles));
    expect(own).toEqual(wanted);
    const { tables } = await verify(defineJob(job, folder), {
      databaseUrl: db.url,
      cwd: folder,
      wholeTable: true,
      log: silentLog,
      now: () => performance.now(),
    });
    expect(tables).toMatchObject([{ missing: 0, extra: 0, changed: 0 }]);
  });
});
