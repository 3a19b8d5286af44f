import { expect, test } from 'vitest';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { main } from '../../../src/cli/etl.ts';
import { scripted, worldOf } from './scripted-engine.ts';

/** The words of `etl history`, `etl verify` and `etl doctor`, and what they ask of the engine. */
const about = { version: '1.2.3', width: 100 };
const url = ['--database-url', 'postgres://db/x'];

async function refusal(...argv: string[]): Promise<string> {
  const { world, err } = worldOf();
  expect(await main(argv, world, scripted().engine)).toBe(2);
  return err();
}

test('history takes a run id, a table and a limit', async () => {
  expect(await parseArguments(['history'], about)).toMatchObject({
    history: { runId: null, table: null, limit: 20, json: false },
  });
  const words = ['history', '20260101000000-abcdef', '--table', 'app.t', '--limit', '3', '--json'];
  expect(await parseArguments(words, about)).toMatchObject({
    history: { runId: '20260101000000-abcdef', table: 'app.t', limit: 3, json: true },
  });
});

test('words that they do not know are refused, with the nearest one', async () => {
  expect(await refusal('history', '--limt', '3')).toContain('--limit');
  expect(await refusal('history', '--limit', '0')).toContain('from 1 to 10000');
  expect(await refusal('history', 'a', 'b')).toContain('etl history takes no "b"');
  expect(await refusal('verify', 'a.csv', '--table', 't', '--force')).toContain('no flag --force');
  expect(await refusal('doctor', 'a.csv')).toContain('etl doctor takes no "a.csv"');
  expect(await refusal('histroy')).toContain('etl history');
});

test('history and doctor need no job, and take the settings of flags and variables', async () => {
  const script = scripted();
  const { world } = worldOf({ ETL_LEDGER_SCHEMA: 'books' });
  expect(await main(['history', ...url, '--table', 't'], world, script.engine)).toBe(0);
  expect(await main(['doctor', ...url, '--concurrency', '7'], world, script.engine)).toBe(0);
  expect(script.calls).toEqual(['history', 'doctor']);
  expect(script.options[0]).toMatchObject({
    settings: { ledgerSchema: 'books' },
    table: 't',
    databaseUrl: 'postgres://db/x',
  });
  expect(script.jobs[0]).toMatchObject({ loads: [], settings: { concurrency: 7 } });
});

test('verify takes the words of the run, and its exit code tells what it found', async () => {
  const words = ['verify', 'a.csv', '--table', 't', '--key', 'id', '--whole-table', ...url];
  for (const sound of [true, false]) {
    const script = scripted({ sound });
    const { world } = worldOf();
    expect(await main(words, world, script.engine)).toBe(sound ? 0 : 1);
    expect(script.jobs[0]?.loads[0]).toMatchObject({ table: 't', key: ['id'] });
    expect(script.options[0]).toMatchObject({ wholeTable: true });
  }
});

test('a doctor that finds a failure ends with 1, and one that is interrupted with 130', async () => {
  const { world, out } = worldOf();
  expect(await main(['doctor', ...url], world, scripted({ sound: false }).engine)).toBe(1);
  expect(out()).toContain('Not healthy');
  const { world: other, interrupt, err } = worldOf();
  interrupt.abort();
  const engine = await scripted().engine();
  const broken = { ...engine, doctor: () => Promise.reject(new Error('cut')) };
  expect(await main(['doctor', ...url], other, async () => broken)).toBe(130);
  expect(err()).not.toContain('run the same command again');
});

test('history forgets what is older than so many days, of all tables or of one', async () => {
  const script = scripted();
  const { world, out } = worldOf();
  const words = ['history', '--prune', '400d', '--dry-run', '--table', 'app.orders', ...url];
  expect(await main(words, world, script.engine)).toBe(0);
  expect(script.calls).toEqual(['prune']);
  expect(script.options[0]).toMatchObject({
    ...{ days: 400, dryRun: true, alsoUnseen: false, table: 'app.orders' },
    databaseUrl: 'postgres://db/x',
  });
  expect(out()).toBe(
    [
      'Would be forgotten of the ledger in schema etl, older than 2026-01-01:',
      '     1,200  entries of files that were loaded again since',
      '         3  entries of files that are gone',
      '         0  entries of tables that are gone',
      '         4  runs',
      'Would stay:',
      '         7  older entries of files that are there: a run would load them again',
      '         1  the last ones of those that are gone, of each table and way to load it',
      '         2  older entries of files that are not seen from here',
      '  ! Not one of the latest files of app.orders is seen from here. Prune where they are loaded; or, if',
      '    they are all moved away after they are loaded, with --also-unseen.',
      '',
    ].join('\n'),
  );
});

test.each([
  [['--prune', '400'], '"400" is no number of days from 1d to 36500d'],
  [['--prune', '0d'], '"0d" is no number of days'],
  [['--prune', '36501d'], '"36501d" is no number of days'],
  [['--dry-run'], '--dry-run is about what --prune forgets'],
  [['--also-unseen'], '--also-unseen is about what --prune forgets'],
  [['20260101000000-abcdef', '--prune', '9d'], '--prune is about all runs'],
])('history refuses %j', async (words, told) => {
  expect(await refusal('history', ...words)).toContain(told);
});
