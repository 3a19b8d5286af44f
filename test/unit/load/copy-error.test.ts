import { expect, test } from 'vitest';
import { errorRecordOf, EtlError } from '../../../src/errors.ts';
import { copyError } from '../../../src/load/copy-error.ts';
import type { FilePlan } from '../../../src/plan/plan-types.ts';

const FILE = {
  name: 'a.parquet',
  description: { kind: 'parquet', columns: [], rows: 9, rowGroups: [], createdBy: null },
} as unknown as FilePlan;

async function factsOf(sqlState: string): Promise<object> {
  const cause = { where: 'COPY etl_unit_0, line 7, column c0: "x"' };
  const error = new EtlError('ETL_SERVER', 'It failed.', 'Do something.', { sqlState }, { cause });
  return errorRecordOf(await copyError(error, FILE, () => 'id')).facts;
}

test('a value that is refused has its line', async () => {
  expect(await factsOf('22P02')).toEqual({
    sqlState: '22P02',
    file: 'a.parquet',
    line: 7,
    column: 'id',
    value: 'x',
  });
});

test.each(['53100', '53200', '53400', '57014', '58030', 'XX000'])(
  'what is about the server (%s) names no line, though PostgreSQL was at one',
  async (sqlState) => {
    expect(await factsOf(sqlState)).toEqual({ sqlState, file: 'a.parquet' });
  },
);
