import { z } from 'zod';
import type { jobSchema } from '../../src/job/schema.ts';
import type { Report } from '../../src/run/report-types.ts';
import { FAULTS } from './faults.ts';
import { load } from './load.ts';
import { useScene } from './scene.ts';

export type Job = z.input<typeof jobSchema>;
export type LoadInput = Job['loads'][number];

/** A scene with two tables, and jobs whose rows go to both in one transaction. */
export function useTargets() {
  const scene = useScene(
    (table) => `create table ${table} (
        id bigint generated always as identity primary key, username text, n int);
      create table ${table}_names (
        username fault_staged primary key check (fault('merge', username)), n int)`,
    FAULTS,
  );

  function jobOf(change: Partial<LoadInput> = {}, settings: Job['settings'] = {}): Job {
    const { table } = scene;
    const names = { table: `${table}_names`, onConflict: 'ignore' } as const;
    const own = { files: ['*.csv'], table, onConflict: 'append', targets: [names] } as const;
    return { settings, loads: [{ ...own, ...change } as LoadInput] };
  }

  const run = (job: Job) => load(scene.db.url, job, { cwd: scene.folder });
  const raw = () => scene.db.query(`select username, n from ${scene.table} order by id`);
  const names = () => scene.db.query(`select * from ${scene.table}_names order by username`);
  const targetsOf = (report: Report) => report.loads[0]?.targets;

  return { scene, jobOf, run, raw, names, targetsOf };
}
