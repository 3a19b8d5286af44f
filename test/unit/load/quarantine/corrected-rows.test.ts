import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  isFilledIn,
  readCorrected,
  type CorrectedRow,
} from '../../../../src/load/quarantine/corrected-rows.ts';
import type { FilePlan } from '../../../../src/plan/plan-types.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'etl-corrected-'));
});
afterAll(() => rm(folder, { recursive: true }));

const FILE = {
  name: 'a.csv',
  description: { kind: 'csv', columns: ['id', 'name'], dialect: {}, path: 'bytes' },
} as unknown as FilePlan;

const HEAD =
  'etl_record,etl_line,etl_byte_offset,etl_column,etl_sqlstate,etl_reason,etl_raw,id,name';

async function read(text: string): Promise<readonly CorrectedRow[] | null> {
  const rejectsPath = join(folder, 'a.csv.rejects.csv');
  await writeFile(rejectsPath, text);
  return readCorrected(FILE, {
    ...{ runId: 'r', path: '/a.csv', rejectsPath, began: '1' },
    records: [
      [2, 5],
      [9, 10],
    ],
    corrected: [[3, 4]],
  });
}

test('rows in the order of the input, without those that are loaded', async () => {
  const rows = await read(`${HEAD}\n9,12,,,,,,7,\n3,4,,,,,,1,x\n2,3,,,,,raw,,""\n4,5,,,,,few,,\n`);
  expect(rows?.map(({ record, fields }) => [record, ...fields])).toEqual([
    [2, null, ''],
    [4, null, null],
    [9, '7', null],
  ]);
  expect(rows?.map(isFilledIn)).toEqual([true, false, true]);
});

test('a file that is gone is none', async () => {
  const reject = { runId: '', path: '', began: '', records: [], corrected: [] };
  expect(await readCorrected(FILE, { ...reject, rejectsPath: join(folder, 'none') })).toBeNull();
});

test.each([
  ['x,1,,,,,,1,a', 'row 2 has etl_record "x"'],
  ['1,1,,,,,,1,a', 'row 2 has etl_record "1"'],
  ['2,1,,,,,,1', 'row 2 has 8 fields, its header 9'],
  ['2,1,,,,,,"open,a', 'Quote Not Closed'],
])('%s is refused', async (line, says) => {
  await expect(read(`${HEAD}\n${line}\n`)).rejects.toThrow(says);
});
