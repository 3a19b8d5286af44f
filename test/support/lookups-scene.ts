import { join } from 'node:path';
import type { z } from 'zod';
import { expect } from 'vitest';
import type { loadSchema } from '../../src/job/schema.ts';
import type { Report } from '../../src/run/report-types.ts';
import { load, type LoadOptions } from './load.ts';
import { useScene } from './scene.ts';

export type Load = z.input<typeof loadSchema>;
export type Lookup = NonNullable<Load['lookups']>[number];

/** A scene whose table has the ids of companies, and loads that look them up by their symbols. */
export function useLookups() {
  const scene = useScene(
    (table) => `
      create table ${table}_companies (id bigint generated always as identity primary key,
        symbol text not null unique, created_at timestamptz not null default now());
      create table ${table} (day int, company_id bigint not null references ${table}_companies,
        price numeric, primary key (day, company_id));
      insert into ${table}_companies (symbol) values ('AAPL'), ('MSFT')`,
  );

  function lookup(more: Partial<Lookup> = {}): Lookup {
    const table = `${scene.table}_companies`;
    const usual = { column: 'symbol', table, match: 'symbol', into: 'company_id' };
    return { ...usual, insertMissing: true, ...more };
  }

  function job(more: Partial<Load> & { settings?: object } = {}) {
    const { settings = {}, ...rest } = more;
    return {
      settings: { concurrency: 4, rejects: join(scene.folder, 'rejects'), ...settings },
      loads: [{ table: scene.table, files: ['*.*'], lookups: [lookup()], ...rest }],
    };
  }

  async function run(
    more: Partial<Load> & { settings?: object } = {},
    options: Partial<LoadOptions> = {},
  ): Promise<Report> {
    const { report } = await load(scene.db.url, job(more), { cwd: scene.folder, ...options });
    return report;
  }

  async function loaded(...asked: Parameters<typeof run>): Promise<Report> {
    const report = await run(...asked);
    expect([report.status, report.error]).toEqual(['loaded', null]);
    return report;
  }

  function refused(more: Partial<Load> = {}): Promise<unknown> {
    return run(more).then(
      ({ error }) => error,
      (error: unknown) => error,
    );
  }

  /** What is loaded, in the words of the files. */
  async function rows(table = scene.table): Promise<string[]> {
    const sql = `select concat_ws(' ', day, coalesce(symbol, '-'), price) as row from ${table}
                   left join ${scene.table}_companies c on c.id = company_id order by day, symbol`;
    return (await scene.db.query(sql)).map(({ row }) => String(row));
  }

  async function symbols(): Promise<string[]> {
    const sql = `select symbol from ${scene.table}_companies order by symbol collate "C"`;
    return (await scene.db.query(sql)).map(({ symbol }) => String(symbol));
  }

  return { scene, lookup, job, run, loaded, refused, rows, symbols };
}
