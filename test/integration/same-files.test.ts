import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectNoLeaks } from '../support/database.ts';
import { load, planJob } from '../support/load.ts';
import { createWorkplace, type Workplace } from '../support/table-pair.ts';

/** One file that is loaded into one table twice, each time other columns of it. */
describe('a file of two meanings', () => {
  let place: Workplace;
  let file: string;

  beforeAll(async () => {
    place = await createWorkplace();
    file = join(place.folder, 'wide.csv');
    await writeFile(file, 'id,a,b\n1,x,y\n');
  });
  afterEach(() => expectNoLeaks(place.db.url));
  afterAll(() => place.remove());

  const loadOf = (taken: 'a' | 'b', left: 'a' | 'b', table: string) => ({
    table,
    files: [file],
    onConflict: 'append' as const,
    columns: { id: 'k', [taken]: 'v', [left]: null },
  });

  it('is no job of two loads: the run would find the second one loaded', async () => {
    await place.db.query('create table long (k text, v text); create table other (k text, v text)');
    const loads = [loadOf('a', 'b', 'long'), loadOf('b', 'a', 'public.long')];
    await expect(planJob(place.db.url, { loads }, { cwd: place.folder })).rejects.toMatchObject({
      record: {
        code: 'ETL_USAGE',
        sentence:
          'Loads 1 and 2 of the job both bring the file into public.long, and a run loads a file into a table once.',
        facts: { file: 'wide.csv' },
      },
    });
    const others = [loadOf('a', 'b', 'long'), loadOf('b', 'a', 'other')];
    const plan = await planJob(place.db.url, { loads: others }, { cwd: place.folder });
    expect(plan.loads).toHaveLength(2);
  });

  it('is appended once by each of two jobs, whichever comes last', async () => {
    await place.db.query('create table lines (k text, v text)');
    const jobs = [loadOf('a', 'b', 'lines'), loadOf('b', 'a', 'lines')];
    const statuses: (string | undefined)[] = [];
    for (const one of [...jobs, ...jobs]) {
      const { report } = await load(place.db.url, { loads: [one] }, { cwd: place.folder });
      statuses.push(report.loads[0]?.files[0]?.status);
    }
    expect(statuses).toEqual(['loaded', 'loaded', 'skipped', 'skipped']);
    const rows = await place.db.query('select v from lines order by v');
    expect(rows).toEqual([{ v: 'x' }, { v: 'y' }]);
  });
});
