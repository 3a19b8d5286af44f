import { readFile } from 'node:fs/promises';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  defineJob,
  EtlError,
  plan,
  run,
  silentLog,
  type Job,
  type Plan,
  type Report,
  type RunEvent,
} from '../../src/index.ts';
import { tableDigest } from '../../tools/oracle.ts';
import { csvFiles, overlappingFiles } from '../support/overlapping-files.ts';
import { useScene } from '../support/scene.ts';

/** The library as its users see it: through its door, with real threads. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text, n int)`);

function job(settings: Partial<Job['settings']> = {}): Job {
  const loads = [{ table: scene.table, files: ['*.csv'] }];
  return defineJob({ settings: { concurrency: 2, ...settings }, loads }, scene.folder);
}

async function planned(wanted: Job = job()): Promise<Plan> {
  return plan(wanted, { databaseUrl: scene.db.url, cwd: scene.folder, log: silentLog });
}

async function collect(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

function options(signal?: AbortSignal): Parameters<typeof run>[1] {
  return {
    databaseUrl: scene.db.url,
    log: silentLog,
    ...(signal === undefined ? {} : { signal }),
  };
}

/** Kinds of the events that are about one file, in their order. */
function storyOf(events: readonly RunEvent[], file: number): string[] {
  return events
    .filter((event) => 'file' in event && event.file === file && event.kind !== 'file-progress')
    .map((event) => event.kind);
}

async function reportValidator(): Promise<z.ZodType> {
  const text = await readFile(new URL('../../config/report.schema.json', import.meta.url), 'utf8');
  return z.fromJSONSchema(JSON.parse(text) as z.core.JSONSchema.JSONSchema);
}

function expectSums(report: Report): void {
  for (const { totals, files } of report.loads) {
    const { rowsRead, inserted, updated, unchanged, superseded, rejected } = totals;
    expect(inserted + updated + unchanged + superseded + rejected).toBe(rowsRead);
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) {
      const parts = files.map((file) => file[name] ?? 0);
      expect(parts.reduce((sum, part) => sum + part, 0)).toBe(totals[name]);
    }
  }
}

describe('run', () => {
  test('tells what happens in a sane order, and reports what its schema says', async () => {
    await scene.write(csvFiles(overlappingFiles(4, 20, 10)));
    const handle = run(await planned(), options());
    const events = await collect(handle);
    const report = await handle.report;

    expect(events[0]).toMatchObject({ kind: 'run-started', runId: report.runId });
    expect(events[1]).toMatchObject({ kind: 'load-started', load: 0 });
    expect(events.at(-2)).toEqual({ kind: 'load-finished', load: 0 });
    expect(events.at(-1)).toEqual({ kind: 'run-finished', report });
    for (const [file, path] of ['f0.csv', 'f1.csv', 'f2.csv', 'f3.csv'].entries()) {
      const story = storyOf(events, file).filter((kind) => kind !== 'file-waiting');
      expect(story).toEqual(['file-started', 'file-staged', 'file-merging', 'file-finished']);
      const finished = events.find(
        (event) => event.kind === 'file-finished' && event.file === file,
      );
      const told = report.loads[0]?.files[file];
      expect(finished).toMatchObject({ report: told });
      expect(told?.path.endsWith(path)).toBe(true);
    }
    const merged = events
      .filter((event) => event.kind === 'file-finished')
      .map((event) => event.file);
    expect([...merged].sort()).toEqual([0, 1, 2, 3]);

    expect((await reportValidator()).parse(report)).toEqual(report);
    expect(report.status).toBe('loaded');
    expectSums(report);
    expect(report.resources.connectionsPeak).toBe(3);
    expect(Date.parse(report.finishedAt)).toBeGreaterThanOrEqual(Date.parse(report.startedAt));
  });

  test('needs nobody who reads its events', async () => {
    await scene.write(csvFiles(overlappingFiles(2, 20, 10)));
    const report = await run(await planned(), options()).report;
    expect(report.loads[0]?.files.map((file) => file.status)).toEqual(['loaded', 'loaded']);
  });

  test('may be iterated after its end', async () => {
    await scene.write(csvFiles(overlappingFiles(2, 20, 10)));
    const handle = run(await planned(), options());
    await handle.report;
    const events = await collect(handle);
    expect(events[0]?.kind).toBe('run-started');
    expect(events.at(-1)?.kind).toBe('run-finished');
  });

  test('ends when its signal is aborted, and says so in the report', async () => {
    await scene.write(csvFiles(overlappingFiles(6, 20, 10)));
    const stop = new AbortController();
    const handle = run(await planned(job({ concurrency: 1 })), options(stop.signal));
    for await (const event of handle) if (event.kind === 'file-finished') stop.abort();
    const report = await handle.report;
    expect([report.status, report.error?.code]).toEqual(['interrupted', 'ETL_ABORTED']);
    expect((await reportValidator()).parse(report)).toEqual(report);
    const statuses = report.loads[0]?.files.map((file) => file.status);
    expect(statuses?.[0]).toBe('loaded');
    expect(statuses?.at(-1)).toBe('not-loaded');
    const again = await run(await planned(), options()).report;
    expect(again.status).toBe('loaded');
    expect(again.loads[0]?.files[0]?.status).toBe('skipped');
  });

  test('reports files that fail, and rejects only where nothing could begin', async () => {
    await scene.write({ 'a.csv': 'id,n\n1,1\n', 'b.csv': 'id,n\n2,two\n' });
    const report = await run(await planned(), options()).report;
    expect(report).toMatchObject({ status: 'failed', error: { code: 'ETL_ROW_INVALID' } });
    expect((await reportValidator()).parse(report)).toEqual(report);

    const stale = await planned(job({ timeZone: 'Asia/Tokyo' }));
    await scene.db.query(`alter table ${scene.table} alter n type bigint`);
    const handle = run(stale, options());
    const refused = await handle.report.catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(EtlError);
    expect((refused as EtlError).code).toBe('ETL_PLAN_STALE');
    expect((await collect(handle)).at(-1)?.kind).not.toBe('run-finished');
  });
});

describe('plan', () => {
  test('is frozen through and through', async () => {
    await scene.write(csvFiles(overlappingFiles(3, 20, 10)));
    const made = await planned();
    const load = made.loads[0] as unknown as {
      strategy: string;
      files: { path: string }[];
      units: unknown[];
    };
    expect(() => (load.strategy = 'sequential')).toThrow(TypeError);
    expect(() => load.units.push({})).toThrow(TypeError);
    expect(() => ((load.files[0] as { path: string }).path = 'x')).toThrow(TypeError);
  });

  test('changes nothing in the database', async () => {
    await scene.write(csvFiles(overlappingFiles(3, 20, 10)));
    const count = `select count(*)::int as n from pg_class where relnamespace::regnamespace::text <> 'pg_toast'`;
    const before = await scene.db.query(count);
    await planned();
    expect(await scene.db.query(count)).toEqual(before);
    expect(await scene.db.query(`table ${scene.table}`)).toEqual([]);
  });

  test('may travel as JSON: the copy has the same id and does the same', async () => {
    await scene.write(csvFiles(overlappingFiles(3, 20, 10)));
    const made = await planned();
    const copy = JSON.parse(JSON.stringify(made)) as Plan;
    expect(copy).toEqual(made);
    const first = await run(made, options()).report;
    const loaded = await scene.db.query(tableDigest(scene.table));
    await scene.db.query(`truncate ${scene.table}; drop schema etl cascade`);
    const second = await run(copy, options()).report;
    expect(await scene.db.query(tableDigest(scene.table))).toEqual(loaded);
    expect(second.loads[0]?.totals).toEqual(first.loads[0]?.totals);
  });

  test('is for one run: files that were loaded since are not loaded again', async () => {
    await scene.write(csvFiles(overlappingFiles(3, 20, 10)));
    const made = await planned();
    await run(made, options()).report;
    const again = await run(made, options()).report.catch((error: unknown) => error);
    expect(again instanceof EtlError ? again.record.code : again).toBe('ETL_PLAN_STALE');
  });

  test('rejects with an EtlError that carries the facts', async () => {
    await scene.write({ 'a.csv': 'id,nome\n1,a\n' });
    const refused = await planned().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(EtlError);
    expect((refused as EtlError).record).toMatchObject({
      code: 'ETL_COLUMN_MISSING',
      facts: { file: 'a.csv', column: 'nome' },
    });
  });

  test('is typed', () => {
    expectTypeOf(plan).returns.resolves.toEqualTypeOf<Plan>();
    expectTypeOf<ReturnType<typeof run>['report']>().resolves.toEqualTypeOf<Report>();
  });
});
