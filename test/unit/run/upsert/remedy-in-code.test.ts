import { expect, test } from 'vitest';
import { inCode } from '../../../../src/run/upsert/remedy-in-code.ts';

function remedy(text: string): string {
  return inCode({ code: 'ETL_USAGE', sentence: '', remedy: text, facts: {} }).remedy;
}

test.each([
  ["Leave it out with --columns 'extra='.", 'Leave it out with columns: { "extra": null }.'],
  ["Map one: --columns 'a b=id'.", 'Map one: columns: { "a b": "id" }.'],
  ['Name the key with --key.', 'Name the key with key.'],
  ['Add with --on-conflict append.', "Add with onConflict: 'append'."],
  ['Or --on-error quarantine', "Or settings: { onError: 'quarantine' }"],
  ['Raise --lock-timeout-ms.', 'Raise settings: { lockTimeoutMs }.'],
  ["The files' columns: id. Name it.", "The rows' columns: id. Name it."],
  [
    'Correct the value in the file, or change the table.',
    'Correct the value, or change the table.',
  ],
  ['Is the server running there?', 'Is the server running there?'],
])('%s', (told, expected) => {
  expect(remedy(told)).toBe(expected);
});

test('the code and the facts stay', () => {
  const record = {
    code: 'ETL_COLUMN_MISSING',
    sentence: 'No column of the file goes to "id".',
    remedy: '',
    facts: { column: 'id', file: 'x' },
  } as const;
  expect(inCode(record)).toEqual({
    ...record,
    sentence: 'No column of the rows goes to "id".',
  });
});
