import { describe, expect, it } from 'vitest';
import { documentProblems } from '../../../src/job/document-checks.ts';
import { csvSchema } from '../../../src/job/schema.ts';

const where = (...steps: string[]): string => steps.join('.');
const path = '{id}_{level}.html';

describe('the documents of a load', () => {
  it.each<[string, Record<string, unknown>]>([
    ['no documents', { csv: {} }],
    ['a pattern alone', { documents: { path } }],
    ['columns', { documents: { path, columns: { html: 'content' }, encoding: 'latin1' } }],
    ['no pattern, and nothing else', { documents: { path: null }, json: {} }],
    ['the defaults of a job that is resolved', { documents: { columns: {}, encoding: 'utf8' } }],
    ['the defaults of all rows', { documents: { path }, csv: csvSchema.parse({}), json: {} }],
    ['further targets, and lookups', { documents: { path }, targets: [{}], lookups: [{}] }],
    ['values of other types, which the schema refuses', { documents: { path: 7, columns: [] } }],
  ])('are fine with %s', (_, load) => {
    expect(documentProblems(load, where)).toEqual([]);
  });

  it.each<[Record<string, unknown>, string]>([
    [
      { documents: { columns: { html: 'content' } } },
      'documents.columns: has no effect without documents.path',
    ],
    [{ documents: { path: null, encoding: 'latin1' } }, 'documents.encoding: has no effect'],
    [{ documents: { path: 'a.html' } }, 'documents.path: "a.html" cannot be used: it has no'],
    [
      { documents: { path, columns: { id: 'size' } } },
      'documents.columns.id: the path brings "id" already',
    ],
    [{ documents: { path: '{content}' } }, 'documents.columns.content: the path brings "content"'],
    [{ documents: { path }, csv: { trim: true } }, 'csv: has no effect with documents'],
    [{ documents: { path }, json: { records: '/a' } }, 'json: has no effect with documents'],
  ])('%j is told', (load, problem) => {
    expect(documentProblems(load, where)).toEqual([expect.stringContaining(problem)]);
  });
});
