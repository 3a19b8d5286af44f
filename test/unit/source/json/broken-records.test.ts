import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterValue, JsonFault, type JsonBytes } from '../../../../src/source/json/json-bytes.ts';
import {
  addChunk,
  endWindow,
  readNext,
  startWindow,
} from '../../../../src/source/json/json-window.ts';
import { startRecovery } from '../../../../src/source/json/recovery.ts';

/** What is no JSON is a record of its own, and those around it are read. */
interface Shape {
  /** Of the array of records; null: one value after another. */
  readonly steps: readonly string[] | null;
  readonly lines: boolean;
}

const LINES: Shape = { steps: null, lines: true };
const VALUES: Shape = { steps: null, lines: false };
const ARRAY: Shape = { steps: [], lines: false };

/** Records as they stand; of a broken one `bad` and its bytes. Whoever only counts them reads as many. */
function read(text: string, shape: Shape, chunk = 1_000_000): string[] {
  const counted = readAs(text, shape, chunk, (json, at) => afterValue(json, at));
  const found = readAs(text, shape, chunk, (json, at) => {
    const first = json.bytes[at];
    const fault = new JsonFault(at, 'no object', 'record');
    if (
      at < json.end &&
      first !== 123 &&
      '["-0123456789tfn'.includes(String.fromCharCode(first ?? 0))
    )
      throw fault;
    return afterValue(json, at);
  });
  const bytes = (records: readonly string[]): string[] =>
    records.map((each) => each.replace(/^bad /, ''));
  expect(bytes(counted)).toEqual(bytes(found));
  return found;
}

function readAs(
  text: string,
  { steps, lines }: Shape,
  chunk: number,
  readRecord: (json: JsonBytes, at: number) => number,
): string[] {
  const read = (at: number): number => readRecord(json, at);
  const window = startWindow(steps, startRecovery(lines));
  const { json, frame } = window;
  const bytes = Buffer.from(text);
  const found: string[] = [];
  const next = (): void => {
    for (;;) {
      const step = readNext(window, read);
      if (step !== 'record' && step !== 'bad') return;
      const own = json.bytes.toString('utf8', frame.start, frame.at);
      found.push(step === 'bad' ? `bad ${own}` : own);
      expect(frame.records).toBe(found.length);
    }
  };
  for (let at = 0; at < bytes.length; at += chunk) {
    addChunk(window, bytes.subarray(at, at + chunk));
    next();
  }
  endWindow(window);
  next();
  return found;
}

describe('a broken record', () => {
  test.each<[what: string, shape: Shape, text: string, records: string[]]>([
    [
      'a word without quotes',
      LINES,
      '{"a":1}\n{"a":x}\n{"a":3}\n',
      ['{"a":1}', 'bad {"a":x}', '{"a":3}'],
    ],
    ['a string that is not closed', LINES, '{"a":"1}\n{"a":2}', ['bad {"a":"1}', '{"a":2}']],
    ['a bracket that is not closed', LINES, '{"a":[1\n{"a":2}\n', ['bad {"a":[1', '{"a":2}']],
    ['a line of no JSON, with CR LF', LINES, 'hello\r\n{"a":2}\r\n', ['bad hello\r', '{"a":2}']],
    ['a bracket too many', LINES, '{"a":1}}\n{"a":2}\n', ['{"a":1}', 'bad }', '{"a":2}']],
    [
      'a value that is no object',
      LINES,
      '5\n"x"\n[7] {"a":2}\n',
      ['bad 5', 'bad "x"', 'bad [7]', '{"a":2}'],
    ],
    [
      'a value that is no object behind a broken line',
      LINES,
      'x\n5 {"a":1}\n',
      ['bad x', 'bad 5 {"a":1}'],
    ],
    ['the last line, cut off', LINES, '{"a":1}\n{"a":', ['{"a":1}', 'bad {"a":']],
    [
      'one of several lines, with an object in it that is no record',
      LINES,
      '{"a":1}\n{"b":x,\n"c":\n {"a":7},\n"d":1}\n{"a":2}\n',
      ['{"a":1}', 'bad {"b":x,', 'bad "c":', 'bad {"a":7},', 'bad "d":1}', '{"a":2}'],
    ],
    [
      'one at the margin',
      VALUES,
      '{\n "a": "1\n}\n{\n "a": 2\n}\n',
      ['bad {\n "a": "1\n}', '{\n "a": 2\n}'],
    ],
    ['whose brackets close', VALUES, '{"a":\nx}\n\n{"a":2}', ['bad {"a":\nx}', '{"a":2}']],
    [
      'of an array in one line',
      ARRAY,
      '[{"a":1},{"a":x},{"a":3}]',
      ['{"a":1}', 'bad {"a":x}', '{"a":3}'],
    ],
    [
      'of an array, a comma missing inside',
      ARRAY,
      '[{"a":1 "b":[{}]} , {"a":3}]',
      ['bad {"a":1 "b":[{}]}', '{"a":3}'],
    ],
    [
      'of an array, a comma missing before it',
      ARRAY,
      '[{"a":1} {"a":2},{"a":3}]',
      ['{"a":1}', 'bad {"a":2}', '{"a":3}'],
    ],
    [
      'of an array, which is a word',
      ARRAY,
      '[{"a":1}, x, {"a":3}]',
      ['{"a":1}', 'bad x', '{"a":3}'],
    ],
    ['of an array that ends with a comma', ARRAY, '[{"a":1},\n]', ['{"a":1}', 'bad ,']],
    ['of an array that does not end', ARRAY, '[{"a":1}\n', ['{"a":1}', 'bad ']],
    [
      'of an array, a string not closed, with a record in each line',
      ARRAY,
      '[\n  {"a":"1},\n  {"a":2},\n  {"a":"3}\n]\n',
      ['bad {"a":"1}', '{"a":2}', 'bad {"a":"3}'],
    ],
    [
      'of an array, a string not closed, in several lines',
      ARRAY,
      '[\n  {\n    "a": "1\n  },\n  {\n    "a": 2\n  }\n]\n',
      ['bad {\n    "a": "1\n  }', '{\n    "a": 2\n  }'],
    ],
    [
      'of an array, a string not closed, where nothing tells its end',
      ARRAY,
      '[{"a":1},{"a":"2},{"a":3}]',
      ['{"a":1}', 'bad {"a":"2},{"a":3}]'],
    ],
  ])('%s', (_, shape, text, records) => {
    expect(read(text, shape)).toEqual(records);
    for (const chunk of [1, 2, 3, 5, 8]) expect(read(text, shape, chunk)).toEqual(records);
  });

  test('of an array that is not where it should be ends the file', () => {
    expect(() => read('{"a":{}}', { steps: ['a'], lines: false })).toThrow('no array of records');
  });
});

const GOOD = ['{"a":1}', '{"a":"x\\"y"}', '{"b":{"c":[1,2]}}', '{"d":"ü"}', ' {"e":null} '];
const BAD = [
  '{"a":x}',
  '{"a":"open}',
  '{"a":1;',
  'word',
  '5',
  '[1,',
  '{"a":1,}',
  '{"a" 1}',
  '"',
  '}',
];

test('each line is a record or broken, as JSON.parse says, wherever the chunks end', () => {
  const line = fc.constantFrom(...GOOD, ...BAD, '');
  const property = fc.property(
    fc.array(line, { maxLength: 12 }),
    fc.constantFrom('\n', '\r\n'),
    fc.integer({ min: 1, max: 30 }),
    (lines, lineEnd, chunk) => {
      const expected = lines
        .filter((each) => each !== '')
        .map((each) => (GOOD.includes(each) ? each.trim() : `bad ${each}`));
      const found = read(lines.map((each) => each + lineEnd).join(''), LINES, chunk);
      expect(found.map((each) => each.trimEnd())).toEqual(expected);
    },
  );
  fc.assert(property, { numRuns: 2_000 });
});

test('of an array, good ones before the first broken one are read, and all bytes told of', () => {
  const record = fc.constantFrom(...GOOD, ...BAD);
  const spaces = fc.constantFrom('', '\n', '\n  ');
  const property = fc.property(
    fc.array(record, { minLength: 1, maxLength: 10 }),
    spaces,
    fc.integer({ min: 1, max: 30 }),
    (records, space, chunk) => {
      const text = `[${records.map((each) => space + each.trim()).join(',')}${space}]`;
      const found = read(text, ARRAY);
      expect(read(text, ARRAY, chunk)).toEqual(found);
      const sound = records.map((each) => each.trim());
      const first = records.findIndex((each) => BAD.includes(each));
      const before = first < 0 ? sound : sound.slice(0, first);
      expect(found.slice(0, before.length)).toEqual(before);
      expect(found.some((each) => each.startsWith('bad '))).toBe(first >= 0);
      // Nothing is taken for a record that is none of the good ones.
      const taken = found.filter((each) => !each.startsWith('bad '));
      for (const each of taken) expect(sound).toContain(each);
      // Where each stands in a line of its own, only the bad ones are lost.
      if (space === '\n  ' && !records.some((each) => ['}', '[1,', '"', 'word'].includes(each))) {
        expect(taken).toEqual(sound.filter((_, at) => GOOD.includes(records[at] ?? '')));
      }
    },
  );
  fc.assert(property, { numRuns: 2_000 });
});
