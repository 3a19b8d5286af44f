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
