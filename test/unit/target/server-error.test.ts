import { expect, test } from 'vitest';
import { serverError } from '../../../src/target/server-error.ts';

function ofState(code: string, more: object = {}): Error {
  return Object.assign(new Error('the words of the server'), { code, ...more });
}

test.each([
  ['3F000', 'ETL_TABLE_MISSING', 'create its schema'],
  ['23505', 'ETL_ROW_INVALID', '--on-error quarantine loads the other rows'],
  ['42501', 'ETL_PRIVILEGE', 'etl doctor names what is missing'],
  ['53300', 'ETL_CONNECTION', 'the connection limit of the role'],
  ['25006', 'ETL_CONNECTION', 'default_transaction_read_only'],
  ['54000', 'ETL_LIMIT', 'shorten the value'],
  ['54011', 'ETL_LIMIT', "--columns 'name='"],
  ['22P02', 'ETL_ROW_INVALID', 'Correct the value'],
  ['08006', 'ETL_CONNECTION', 'run again'],
  ['XX000', 'ETL_SERVER', 'XX000'],
])('the SQLSTATE %s is %s, and what to do', (state, code, remedy) => {
  const { record } = serverError(ofState(state));
  expect(record).toMatchObject({ code, facts: { sqlState: state } });
  expect(record.sentence).toBe('the words of the server.');
  expect(record.remedy).toContain(remedy);
});

test('detail and hint of the server are told with it', () => {
  const { record } = serverError(ofState('42501', { detail: 'Why.', hint: 'Ask the owner.' }));
  expect(record.sentence).toBe('the words of the server (Why).');
  expect(record.remedy).toMatch(/^Ask the owner\. Grant/);
});

test.each([
  ['Connection terminated unexpectedly', 'ETL_CONNECTION'],
  ['Received unexpected commandComplete message from backend.', 'ETL_CONNECTION'],
  ['what nobody has seen yet', 'ETL_SERVER'],
])('%s is %s, and what to do', (message, code) => {
  const { record } = serverError(new Error(message));
  expect(record.code).toBe(code);
  expect(record.remedy).toMatch(/run again/i);
});

test('a server that is none is a wrong address', () => {
  const { record } = serverError(new Error('There was an error establishing an SSL connection'));
  expect(record).toMatchObject({ code: 'ETL_CONNECTION' });
  expect(record.sentence).toContain('is not PostgreSQL');
});
