import { expect, test } from 'vitest';
import { errorRecord } from '../../../../src/errors.ts';
import { remedy, setting } from '../../../../src/remedy.ts';
import { inCode } from '../../../../src/run/upsert/remedy-in-code.ts';

const LEFT_OUT = setting('columns', { extra: null });

test('settings are told by their fields, and the list of them is gone', () => {
  const advice = remedy`Leave it out with ${LEFT_OUT}, or lower ${setting('settings.session', { work_mem: '16MB' })}.`;
  const record = errorRecord('ETL_COLUMN_MISSING', 'No such column.', advice, { column: 'extra' });
  expect(record.remedy).toBe(
    "Leave it out with --columns 'extra=', or lower --session work_mem=16MB.",
  );
  expect(inCode(record)).toEqual({
    code: 'ETL_COLUMN_MISSING',
    sentence: 'No such column.',
    remedy:
      'Leave it out with columns: {"extra":null}, or lower settings.session: {"work_mem":"16MB"}.',
    facts: { column: 'extra' },
  });
});

test('also in the problems that an error lists', () => {
  const problems = ["a: leave it out with --columns 'extra='.", 'b'];
  const facts = { problems, settings: [LEFT_OUT] };
  expect(inCode(errorRecord('ETL_COLUMN_MISSING', 'Two.', '', facts)).facts).toEqual({
    problems: ['a: leave it out with columns: {"extra":null}.', 'b'],
  });
});

test('an error that names none stays as it is', () => {
  const record = errorRecord('ETL_CONNECTION', 'No.', 'Is it --there?', { file: 'x' });
  expect(inCode(record)).toBe(record);
});
