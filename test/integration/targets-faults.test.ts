import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { armSql, closeGateSql, untilWaiting } from '../support/faults.ts';
import { planJob, runPlan } from '../support/load.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';
import { useTargets } from '../support/targets-scene.ts';

/** Rows that go to several tables: what a fault or a bad row in one of them means for all. */
const { scene, jobOf, run, raw, names, targetsOf } = useTargets();

describe('faults', () => {
  const FILES = {
    'a.csv': 'username,n\nada,1\nben,2\n',
    'b.csv': 'username,n\nben,3\nmerge bomb,4\n',
  };
  const expectAll = async (): Promise<void> => {
    expect((await raw()).map(({ n }) => n).sort()).toEqual([1, 2, 3, 4]);
    expect(await names()).toEqual([
      { username: 'ada', n: 1 },
      { username: 'ben', n: 2 },
      { username: 'merge bomb', n: 4 },
    ]);
  };

  test.for([1, 4])(
    'a backend that dies while the second table is merged takes the first with it (%s workers)',
    async (concurrency) => {
      await scene.write(FILES);
      await scene.db.query(armSql('merge', 0));
      const { report } = await run(jobOf({}, { concurrency }));
      expect(report.error).toBeNull();
      expect(Math.max(...(report.loads[0]?.files ?? []).map(({ attempts }) => attempts))).toBe(2);
      await expectAll();
    },
  );

  test('of a commit whose answer is lost, the counts of further tables are not known', async () => {
    await scene.write(FILES);
    await scene.db.query(armSql('merge', 99));
    // The ledger is made before.
    await run(jobOf());
    const seen = new Set<number | null | undefined>();
    for (let nth = 1; ; nth++) {
      await scene.db.query(`truncate ${scene.table}, ${scene.table}_names`);
      const options = { cwd: scene.folder, force: true };
      const plan = await planJob(scene.db.url, jobOf({}, { concurrency: 1 }), options);
      let commits = 0;
      const proxy = await openTcpProxy(scene.db.url, {
        fateOf: (statement) =>
          /^commit/i.test(statement) && ++commits === nth ? 'cut-after' : 'pass',
      });
      const report = await runPlan(proxy.url, plan, {}).finally(() => proxy.close());
      expect([nth, report.error]).toEqual([nth, null]);
      await expectAll();
      if (commits < nth) break;
      seen.add(targetsOf(report)?.[0]?.inserted);
    }
    expect([...seen].sort()).toEqual([3, null]);
  });

  test('two runs that share a further table exclude each other', async () => {
    await scene.write(FILES);
    const other = `${scene.table}_other`;
    await scene.db.query(`create table ${other} (username text, n int)`);
    await scene.write({ 'gate.csv': 'username,n\nmerge gate,9\n' });
    const gate = await scene.db.client();
    await gate.query(closeGateSql('merge'));
    const running = run(jobOf({ files: ['gate.csv'] }));
    await untilWaiting(scene.db, 'merge');
    const second = await run(jobOf({ files: ['a.csv'], table: other })).catch((error: unknown) =>
      String(error),
    );
    expect(second).toContain(`${scene.table}_names is being loaded by run`);
    await gate.end();
    expect((await running).report.error).toBeNull();
  });
});

describe('quarantine', () => {
  const quarantine = { onError: 'quarantine', rejects: 'rejects' } as const;

  test('a row that one table refuses is rejected for all, superseded or not', async () => {
    await scene.db.query(`alter table ${scene.table}_names add constraint small check (n < 100)`);
    await scene.write({
      'a.csv': 'username,n\nada,1\nben,1000\nben,2\ncarl,x\n',
      'b.csv': 'username,n\nben,3\ndora,2000\n',
    });
    const targets = [{ table: `${scene.table}_names`, onConflict: 'update' } as const];
    const { report } = await run(jobOf({ targets }, { ...quarantine, concurrency: 1 }));
    expect([report.status, report.error]).toEqual(['rejected-rows', null]);
    expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 6, inserted: 3, rejected: 3 });
    expect(await raw()).toEqual([
      { username: 'ada', n: 1 },
      { username: 'ben', n: 2 },
      { username: 'ben', n: 3 },
    ]);
    expect(await names()).toEqual([
      { username: 'ada', n: 1 },
      { username: 'ben', n: 3 },
    ]);
    const rejected = await readFile(
      join(scene.folder, 'rejects', 'a.csv.rejects.csv'),
      'utf8',
    ).catch(async () => String(report.loads[0]?.files[0]?.rejects));
    expect(rejected).toContain('small');
  });

  test('what no query can tell beforehand fails its file', async () => {
    await scene.db.query(`create unique index on ${scene.table}_names (n)`);
    await scene.write({ 'a.csv': 'username,n\nada,1\nben,1\n', 'b.csv': 'username,n\ncarl,3\n' });
    const { report } = await run(jobOf({}, quarantine));
    expect(report.loads[0]?.files.map(({ status }) => status)).toEqual(['failed', 'not-loaded']);
    expect(await raw()).toEqual([]);
  });
});
