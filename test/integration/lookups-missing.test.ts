import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { readRejects } from '../support/rejects.ts';
import { filesOf, statusesOf } from '../support/scene.ts';
import { parquetOf } from '../support/twin-files.ts';
import { useLookups } from '../support/lookups-scene.ts';

/** A value that is looked up, and is not there. */
const { scene, lookup, job, run, rows, symbols } = useLookups();

describe('a value that is not there', () => {
  const BAD = {
    'a.csv': 'day,symbol,price\n1,AAPL,1\n',
    'b.csv': 'day,symbol,price\n2,MSFT,2\n3,"NO\nSUCH",3\n4,NONE,4\n5,AAPL,5\n',
    'c.csv': 'day,symbol,price\n6,AAPL,6\n',
  };

  test.for(['full-parallel', 'sequential'] as const)('ends its file (%s)', async (strategy) => {
    await scene.write(BAD);
    const report = await run({ strategy, lookups: [lookup({ insertMissing: false })] });
    expect(report.status).toBe('failed');
    expect(statusesOf(report)).toEqual(['loaded', 'failed', 'not-loaded']);
    expect(filesOf(report)[1]?.error).toMatchObject({
      code: 'ETL_ROW_INVALID',
      facts: { file: 'b.csv', line: 3, column: 'symbol', value: 'NO\nSUCH' },
    });
    expect(await rows()).toEqual(['1 AAPL 1']);
    expect(await symbols()).toEqual(['AAPL', 'MSFT']);
  });

  test.for(['full-parallel', 'partitioned'] as const)(
    'goes to the reject file, and the other rows are loaded (%s)',
    async (strategy) => {
      await scene.write(BAD);
      const settings = { onError: 'quarantine' as const };
      const lookups = [lookup({ insertMissing: false })];
      const report = await run({ strategy, lookups, settings });
      expect(report.status).toBe('rejected-rows');
      expect(report.loads[0]?.totals).toMatchObject({ rowsRead: 6, inserted: 4, rejected: 2 });
      expect(await rows()).toEqual(['1 AAPL 1', '2 MSFT 2', '5 AAPL 5', '6 AAPL 6']);
      const rejected = await readRejects(filesOf(report)[1]?.rejects ?? '');
      expect(rejected).toMatchObject([
        { etl_line: '3', etl_column: 'symbol', etl_raw: '3,"NO\nSUCH",3', day: '3' },
        { etl_line: '5', etl_column: 'symbol', symbol: 'NONE' },
      ]);
      expect(rejected[1]?.['etl_reason']).toContain('has the symbol "NONE"');
    },
  );

  test('is good once what it names is there, and its row corrected or tried again', async () => {
    await scene.write({
      'a.csv': 'day,symbol,price\n1,AAPL,1\n2,LATER,2\n3,WRONG,3\n4,NEVER,4\n',
      'b.csv': 'day,symbol,price\n2,LATER,9\n5,AAPL,5\n',
      'job.json': JSON.stringify(
        job({ lookups: [lookup({ insertMissing: false })], files: ['*.csv'] }),
      ),
    });
    const words = ['--config', 'job.json'];
    const end = await scene.run([...words, '--on-error', 'quarantine']);
    expect([end.code, end.report?.loads[0]?.totals]).toMatchObject([3, { rejected: 4 }]);
    await scene.db.query(`insert into ${scene.table}_companies (symbol) values ('LATER')`);
    const path = filesOf(end.report)[0]?.rejects ?? '';
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(',3,WRONG,3', ',3,MSFT,3'));
    const again = await scene.run([...words, '--retry-rejects']);
    expect([again.code, again.error]).toMatchObject([3, null]);
    expect(await rows()).toEqual(['1 AAPL 1', '2 LATER 9', '3 MSFT 3', '5 AAPL 5']);
    expect(await readRejects(path)).toMatchObject([{ etl_line: '5', symbol: 'NEVER' }]);
  });

  test('tells the record of a JSON file, and the row of a Parquet file', async () => {
    const lookups = [lookup({ insertMissing: false })];
    await scene.write({
      'a.jsonl': '{"day":1,"symbol":"AAPL","price":1}\n{"day":2,"symbol":"X"}\n',
    });
    const json = await run({ lookups, files: ['a.jsonl'] });
    expect(filesOf(json)[0]?.error?.facts).toMatchObject({ line: 2, record: 2, value: 'X' });
    const symbol = { name: 'symbol', type: { kind: 'string' as const }, texts: ['AAPL', 'X'] };
    const day = { ...symbol, name: 'day', texts: ['1', '2'] };
    await scene.write({ 'a.parquet': Buffer.from(parquetOf([symbol, day])) });
    const parquet = await run({ lookups, files: ['a.parquet'] });
    expect(filesOf(parquet)[0]?.error?.facts).toMatchObject({
      line: 2,
      column: 'symbol',
      value: 'X',
    });
  });

  test('is a bad row where the other table refuses it', async () => {
    await scene.db.query(`alter table ${scene.table}_companies add check (symbol ~ '^[A-Z]+$')`);
    await scene.write({ 'a.csv': 'day,symbol,price\n1,B,1\n2,x1,2\n3,A,3\n4,y2,4\n5,B,5\n' });
    const stopped = await run();
    expect(filesOf(stopped)[0]?.error).toMatchObject({
      code: 'ETL_ROW_INVALID',
      facts: { line: 3, column: 'symbol', value: 'x1', sqlState: '23514' },
    });
    // Created before it was known; the next run finds them.
    expect(await symbols()).toEqual(['A', 'AAPL', 'B', 'MSFT']);
    await scene.db.query(`delete from ${scene.table}_companies where symbol in ('A', 'B')`);
    const report = await run({ settings: { onError: 'quarantine' } });
    expect(report.loads[0]).toMatchObject({
      totals: { inserted: 3, rejected: 2 },
      lookups: [{ created: 2 }],
    });
    expect(await rows()).toEqual(['1 B 1', '3 A 3', '5 B 5']);
    expect(await readRejects(filesOf(report)[0]?.rejects ?? '')).toMatchObject([
      { etl_line: '3', etl_sqlstate: '23514' },
      { etl_line: '5', etl_sqlstate: '23514' },
    ]);
  });

  test('is a bad row where a trigger keeps it out', async () => {
    await scene.db.query(`
      create function ${scene.table}_out() returns trigger language plpgsql as
        $$ begin if new.symbol = 'OUT' then return null; end if; return new; end $$;
      create trigger out before insert on ${scene.table}_companies
        for each row execute function ${scene.table}_out()`);
    await scene.write({ 'a.csv': 'day,symbol,price\n1,IN,1\n2,OUT,2\n' });
    const report = await run({ settings: { onError: 'quarantine' } });
    expect(report.loads[0]).toMatchObject({
      totals: { inserted: 1, rejected: 1 },
      lookups: [{ created: 1 }],
    });
    expect(await symbols()).toEqual(['AAPL', 'IN', 'MSFT']);
  });

  test('among small files of one unit ends the files from its own on', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 9 }, (_, n) => [
        `${n}.csv`,
        `day,symbol,price\n${n},${n === 5 ? 'NONE' : 'AAPL'},1\n`,
      ]),
    );
    await scene.write(files);
    const settings = { concurrency: 1 };
    const report = await run({ settings, lookups: [lookup({ insertMissing: false })] });
    expect(filesOf(report)[5]?.error?.facts).toMatchObject({ file: '5.csv', line: 2 });
    expect(statusesOf(report).slice(0, 6)).toEqual([...Array<string>(5).fill('loaded'), 'failed']);
    expect(await rows()).toEqual(['0 AAPL 1', '1 AAPL 1', '2 AAPL 1', '3 AAPL 1', '4 AAPL 1']);
    const rest = await run({
      settings: { ...settings, onError: 'quarantine' },
      lookups: [lookup({ insertMissing: false })],
    });
    expect(rest.loads[0]?.totals).toMatchObject({ inserted: 3, rejected: 1 });
  });
});
