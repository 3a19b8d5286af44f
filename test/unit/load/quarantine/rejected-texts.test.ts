import { readdirSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rejectedCsvRows } from '../../../../src/load/quarantine/rejected-texts.ts';
import type { RejectedRow } from '../../../../src/load/quarantine/reject-spool.ts';
import type { FilePlan } from '../../../../src/plan/plan-types.ts';
import { described, temporaryFolder, writeSource } from '../../source/temporary-files.ts';

const folder = temporaryFolder();

async function* row(record: number): AsyncGenerator<RejectedRow> {
  yield { file: 0, record, column: null, sqlState: null, reason: 'it is bad' };
}

/** How often this process has the file open, on systems that tell. */
function timesOpen(path: string): number {
  const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd') : [];
  return descriptors.filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`) === path;
    } catch {
      return false;
    }
  }).length;
}

test.each([
  ['bytes', {}],
  ['rows', { trim: true }],
] as const)('a file that is read up to its rejected row is closed (%s)', async (path, csv) => {
  const lines = Array.from({ length: 300_000 }, (_, at) => `${at},name ${at}\n`);
  const file = writeSource(folder, `${path}.csv`, `id,name\n${lines.join('')}`);
  const description = await described(file, csv);
  expect(description.path).toBe(path);
  const plan = { ...file, description, targets: ['id', 'name'] } as unknown as FilePlan;
  const options = { sifted: true, signal: new AbortController().signal };
  const texts: string[] = [];
  for await (const text of rejectedCsvRows(plan, description, row(2), options)) {
    texts.push(text.raw);
  }
  expect(texts).toEqual(['1,name 1']);
  // What csv-parse is fed from closes a moment later.
  await expect.poll(() => timesOpen(file.path)).toBe(0);
});
