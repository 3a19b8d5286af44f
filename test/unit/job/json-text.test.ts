import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EtlError, type ErrorRecord } from '../../../src/errors.ts';
import { parseJsonText } from '../../../src/job/json-text.ts';

function refusal(text: string): ErrorRecord {
  try {
    parseJsonText(text, 'job.json');
  } catch (error) {
    if (error instanceof EtlError) return error.record;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

describe('parseJsonText', () => {
  test('gives what JSON.parse gives, however it is spaced', () => {
    fc.assert(
      fc.property(
        fc.json({ depthSize: 'small' }),
        fc.constantFrom(undefined, 1, '\t', '\r\n '),
        (json, indent) => {
          // Repeated keys and __proto__ are refused on purpose, so they are not part of this.
          fc.pre(!json.includes('__proto__'));
          const text = JSON.stringify(JSON.parse(json), null, indent);
          expect(parseJsonText(text, 'x').value).toEqual(JSON.parse(text));
          expect(parseJsonText(text, 'x').problems).toEqual([]);
        },
      ),
    );
  });

  test('refuses exactly the texts that JSON.parse refuses', () => {
    const pieces = ['{', '}', '[', ']', ',', ':', '"a"', '"', '\\u12', '\\n', ' ', '\n', '\u0001'];
    const words = ['true', 'nul', 'null', '0', '-', '1.5', '01', '1e', '1e9', '.5', "'", '//'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces, ...words), { maxLength: 7 }), (parts) => {
        const text = parts.join('');
        expect(accepts(() => parseJsonText(text, 'x'))).toBe(accepts(() => JSON.parse(text)));
      }),
      { numRuns: 2_000 },
    );
  });

  test('knows the line of every value', () => {
    const { lineOf } = parseJsonText('{\n "a": [\n  1,\r\n  {"b c": 2}\n ]\n}', 'x');
    expect(lineOf('job')).toBe(1);
    expect(lineOf('a')).toBe(2);
    expect(lineOf('a[0]')).toBe(3);
    expect(lineOf('a[1]["b c"]')).toBe(4);
    expect(lineOf('a[2]')).toBeUndefined();
  });

  test('skips a byte-order mark', () => {
    expect(parseJsonText('\uFEFF{"a": 1}', 'x').value).toEqual({ a: 1 });
  });

  test.each([
    ['{\n  "a": b\n}', 2, 'column 8', 'expected a value, but found "b"', 'Correct'],
    ['{"a": 1,\n}', 2, 'column 1', 'expected a key in double quotes', 'Remove the comma'],
    ['{"a": [1, 2,]}', 1, 'column 13', 'expected a value', 'Remove the comma'],
    ['{\n// here\n"a": 1}', 2, 'column 1', 'a key in double quotes', 'JSON has no comments'],
    ["{'a': 1}", 1, 'column 2', 'a key in double quotes', 'double quotes only'],
    ['{"a": 1', 1, 'column 8', '"," or "}", but the file ends', 'Correct'],
    ['', 1, 'column 1', 'expected a value, but the file ends', 'Correct'],
    ['{} {}', 1, 'column 4', 'the end of the file', 'Correct'],
    ['{"a": "x\ny"}', 1, 'column 9', 'the closing quote', 'Correct'],
    ['{"a": "C:\\data"}', 1, 'column 7', 'a backslash is written as', 'Correct'],
    ['{"a": 😀}', 1, 'column 7', 'found "😀"', 'Correct'],
  ])('%j: says where and what is expected', (text, line, column, sentence, remedy) => {
    const record = refusal(text);
    expect(record.code).toBe('ETL_JOB_INVALID');
    expect(record.facts).toEqual({ file: 'job.json', line });
    expect(record.sentence).toContain(column);
    expect(record.sentence).toContain(sentence);
    expect(record.remedy).toContain(remedy);
  });

  test('ends a document that nests without end', () => {
    expect(refusal('['.repeat(100_000)).sentence).toContain('at most 32 levels');
  });

  test('reports repeated keys and __proto__, and goes on', () => {
    const { value, problems } = parseJsonText(
      '{"a": 1,\n "a": 2,\n "b": {"__proto__": {"polluted": 1}}}',
      'x',
    );
    expect(problems).toEqual([
      'a (line 2): the key comes twice.',
      'b.__proto__ (line 3): the key "__proto__" is not allowed.',
    ]);
    expect(value).toEqual({ a: 1, b: {} });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

function accepts(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}
