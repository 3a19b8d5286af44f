import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { FLAGS } from '../../../src/cli/flags.ts';
import { jobOptions } from '../../../src/job/job-options.ts';
import { flagTable, settingTable, withTables } from '../../../tools/flag-tables.ts';

test("README.md's tables are what the code says (else: tsx tools/write-flag-table.ts)", async () => {
  const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8');
  expect(readme).toBe(withTables(readme));
});

test('the tables have a row for each flag and setting', () => {
  const ofCall = FLAGS.filter((flag) => flag.option === null);
  expect(flagTable().split('\n')).toHaveLength(ofCall.length + 3);
  expect(settingTable().split('\n')).toHaveLength(jobOptions.length + 3);
  const named = new Set(
    [...`${flagTable()}${settingTable()}`.matchAll(/`--(?:\[no-\])?([a-z-]+)[^`]*`/g)].map(
      ([, name]) => name,
    ),
  );
  expect(FLAGS.filter(({ name }) => !named.has(name))).toEqual([]);
});

test('stale tables are replaced, missing markers refused', () => {
  const page =
    'a\n<!-- flags -->\nold\n<!-- /flags -->\nb\n<!-- settings -->\n<!-- /settings -->\nc\n';
  const renewed = withTables(page);
  expect(renewed).not.toContain('\nold\n');
  expect(renewed).toContain('`--database-url`');
  expect(withTables(renewed)).toBe(renewed);
  expect(() => withTables('a\n')).toThrow('<!-- flags -->');
});
