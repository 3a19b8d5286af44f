import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FLAGS } from '../../src/cli/flags.ts';
import { EtlError } from '../../src/errors.ts';
import { jobOptions } from '../../src/job/job-options.ts';
import { callOption, flagName, inFields, remedy, setting } from '../../src/remedy.ts';

describe('a setting is spelled', () => {
  test.each([
    [setting('key'), '--key', 'key'],
    [
      setting('settings.onError', 'quarantine'),
      '--on-error quarantine',
      'settings.onError: "quarantine"',
    ],
    [setting('csv.skipLines', 1), '--csv-skip-lines 1', 'csv.skipLines: 1'],
    [setting('csv.quote', null), "--csv-quote ''", 'csv.quote: null'],
    [setting('csv.null', 'n/a'), '--csv-null n/a', 'csv.null: "n/a"'],
    [setting('csv.null', '#N/A'), "--csv-null '#N/A'", 'csv.null: "#N/A"'],
    [setting('columns', { extra: null }), "--columns 'extra='", 'columns: {"extra":null}'],
    [setting('columns', { "o'b": 'x' }), `--columns 'o'\\''b=x'`, `columns: {"o'b":"x"}`],
    [
      setting('settings.session', { work_mem: '16MB' }),
      '--session work_mem=16MB',
      'settings.session: {"work_mem":"16MB"}',
    ],
    [setting('key', ['a', 'b c']), "--key 'a,b c'", 'key: ["a","b c"]'],
    [setting('createTable', false), '--no-create-table', 'createTable: false'],
    [setting('csv.trim', true), '--csv-trim', 'csv.trim: true'],
    [callOption('retryRejects'), '--retry-rejects', 'retryRejects'],
  ])('%j', (named, flag, field) => {
    expect(named).toEqual({ flag, field });
  });

  test('by the flags that the command line has', () => {
    const own = FLAGS.flatMap(({ name, option }) =>
      option === null ? [] : [[name, option] as const],
    );
    expect(own.map(([, option]) => flagName(option.path))).toEqual(own.map(([name]) => name));
  });
});

describe('a remedy', () => {
  const told = remedy`Raise ${setting('settings.maxErrors')}, or ${remedy`add ${setting('settings.maxErrors', 5)}`} ${1} time.`;

  test('has flags in its text, and its settings beside it', () => {
    expect(told.text).toBe('Raise --max-errors, or add --max-errors 5 1 time.');
    expect(new EtlError('ETL_LIMIT', 'Much.', told, { limit: 1 }).record).toEqual({
      ...{ code: 'ETL_LIMIT', sentence: 'Much.', remedy: told.text },
      facts: { limit: 1, settings: told.settings },
    });
  });

  test('is told by fields, the longer flag first', () => {
    expect(inFields(told.text, told.settings)).toBe(
      'Raise settings.maxErrors, or add settings.maxErrors: 5 1 time.',
    );
    expect(inFields('As $& is.', [{ flag: '$&', field: '$1' }])).toBe('As $1 is.');
  });

  test('without settings leaves the facts as they are', () => {
    expect(new EtlError('ETL_USAGE', 'No.', remedy`Look ${2}.`).record.facts).toEqual({});
  });
});

/** Rooms whose errors reach programs and clients, too. */
const ROOMS = ['conflict', 'load', 'plan', 'pool', 'run', 'source', 'target'];
const sources = ROOMS.flatMap((room) => {
  const folder = new URL(`../../src/${room}/`, import.meta.url);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({
      name: `${room}/${name}`,
      text: readFileSync(new URL(name, folder), 'utf8'),
    }));
});

test('each setting that a remedy names is one', () => {
  const known = jobOptions.map(({ path }) => path.slice(path.indexOf('*') + 1).join('.'));
  const named = sources.flatMap(({ text }) =>
    [...text.matchAll(/\bsetting\(\s*'([^']+)'/g)].map(([, path]) => path),
  );
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter((path) => !known.includes(path ?? ''))).toEqual([]);
});

test('no text below the command line names the flag of a setting by itself', () => {
  const flags = FLAGS.filter(({ option }) => option !== null).map(({ name }) => name);
  const flag = new RegExp(`(?<![\\w-])--(?:no-)?(?:${flags.join('|')})(?![\\w-])`);
  const found = sources.flatMap(({ name, text }) =>
    text
      .split('\n')
      .filter((line) => !/^\s*(?:\/?\*|\/\/)/.test(line) && flag.test(line))
      .map((line) => `${name}: ${line.trim()}`),
  );
  expect(found).toEqual([]);
});
