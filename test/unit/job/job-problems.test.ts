import { describe, expect, test } from 'vitest';
import { flag, minimal, problemsOf } from './built-job.ts';

describe('a malformed job file', () => {
  test('tells every problem at once, with path, line, value, limit and nearest name', () => {
    const text = `{
  "databaseUrl": "mysql://me:secret@h/d",
  "setings": {},
  "settings": {
    "concurrency": 0,
    "chunkSize": 1.5,
    "deterministic": "yes",
    "lockTimeoutMs": 9999999999
  },
  "loads": [
    {
      "files": [],
      "strategy": "hybird",
      "onConflict": "newest",
      "key": "id",
      "csv": { "quote": "ab", "skipLines": -1, "delimeter": ";" }
    },
    { "files": ["a", ""], "table": 5, "columns": { "Order ID": "" } }
  ]
}`;
    expect([...problemsOf({ file: text })].sort()).toEqual(
      [
        'databaseUrl (line 2): "mysql://me:***@h/d" is not allowed; it must be a URL that starts with postgres://, or null.',
        'setings (line 3): there is no such setting. Did you mean "settings"?',
        'settings.concurrency (line 5): 0 is not allowed; it must be auto, or a whole number from 1 to 64.',
        'settings.chunkSize (line 6): 1.5 is not allowed; it must be a whole number from 1 to 1,000,000,000.',
        'settings.deterministic (line 7): "yes" is not allowed; it must be true or false.',
        'settings.lockTimeoutMs (line 8): 9999999999 is not allowed; it must be a whole number from 0 to 2,147,483,647.',
        'loads[0].files (line 12): [] is not allowed; it must be a list of at least one text that is not empty.',
        'loads[0].table (line 11): is missing; it must be a text that is not empty.',
        'loads[0].strategy (line 13): "hybird" is not allowed; it must be one of auto, full-parallel, hybrid, sequential, partitioned. Did you mean "hybrid"?',
        'loads[0].key (line 15): "id" is not allowed; it must be a list of at least one text that is not empty, or null.',
        'loads[0].versionColumn (line 11): is missing; onConflict "newest" needs the column that says which row is newer.',
        'loads[0].csv.quote (line 16): "ab" is not allowed; it must be a text of 1 character, or null.',
        'loads[0].csv.skipLines (line 16): -1 is not allowed; it must be a whole number from 0 to 1,000,000.',
        'loads[0].csv.delimeter (line 16): there is no such setting. Did you mean "delimiter"?',
        'loads[1].files[1] (line 18): "" is not allowed; it must be a text that is not empty.',
        'loads[1].table (line 18): 5 is not allowed; it must be a text that is not empty.',
        'loads[1].columns["Order ID"] (line 18): "" is not allowed; it must be a text that is not empty, or null.',
      ].sort(),
    );
  });

  test.each([
    ['a list', '[]', 'job: [] is not allowed; it must be an object.'],
    ['a null', 'null', 'job: null is not allowed; it must be an object.'],
    ['no loads', '{}', 'loads: is missing; it must be a list of at least one object.'],
    ['empty loads', '{"loads": []}', 'loads (line 1): [] is not allowed; it must be a list'],
    ['a load that is none', '{"loads": [3]}', 'loads[0] (line 1): 3 is not allowed'],
    [
      'a key far from all',
      '{"loads": [{"files": ["a"], "table": "t", "zzz": 1}]}',
      'loads[0].zzz (line 1): there is no such setting. Known are description, files, table, key,',
    ],
    [
      '__proto__',
      '{"loads": [{"files": ["a"], "table": "t", "columns": {"__proto__": "x"}}]}',
      'loads[0].columns.__proto__ (line 1): the key "__proto__" is not allowed.',
    ],
    [
      'constructor',
      '{"constructor": 1, "loads": [{"files": ["a"], "table": "t"}]}',
      'constructor (line 1): there is no such setting.',
    ],
    [
      'a repeated key',
      '{"loads": [{"files": ["a"], "table": "t", "table": "u"}]}',
      'loads[0].table (line 1): the key comes twice.',
    ],
  ])('%s', (_, text, problem) => {
    expect(problemsOf({ file: text })[0]).toContain(problem);
  });

  test.each([
    [{ versionColumn: 'at' }, 'versionColumn', 'has no effect with onConflict "update"'],
    [{ onConflict: 'newest' }, 'versionColumn', 'is missing'],
    [{ onConflict: 'append', key: ['id'] }, 'key', '["id"] has no effect with onConflict "append"'],
    [{ key: ['id', 'id'] }, 'key', '"id" comes twice'],
    [{ columns: { a: 'x', b: 'x' } }, 'columns', 'two columns of the file go to "x"'],
    [{ csv: { delimiter: '"' } }, 'csv.quote', 'is the delimiter already'],
    [{ csv: { comment: '#', quote: '#' } }, 'csv.comment', '"#" is the quote already'],
    [{ csv: { delimiter: '\n' } }, 'csv.delimiter', 'holds a line end'],
    [{ csv: { quote: null, escape: '\\' } }, 'csv.escape', 'has no effect where quote is null'],
  ])('contradictions: %j', (change, where, sentence) => {
    const [problem, ...others] = problemsOf({
      file: JSON.stringify({ loads: [{ ...minimal.loads[0], ...change }] }),
    });
    expect(problem).toContain(`loads[0].${where} (line 1): `);
    expect(problem).toContain(sentence);
    expect(others).toEqual([]);
  });

  test('keepSuperseded where every row is appended', () => {
    const settings = { keepSuperseded: 'lost' };
    const append = { ...minimal.loads[0], onConflict: 'append' };
    expect(problemsOf({ file: { settings, loads: [append] } })[0]).toMatch(
      /keepSuperseded .*"lost" has no effect with onConflict "append"/,
    );
    expect(problemsOf({ file: { settings, loads: [append, minimal.loads[0]] } })).toEqual([]);
  });

  test.each([
    { onConflict: 'newest', versionColumn: 'at' },
    { onConflict: 'append' },
    { columns: { a: null, b: null } },
    { csv: { quote: null, delimiter: '"' } },
  ])('no contradiction: %j', (change) => {
    expect(problemsOf({ file: { loads: [{ ...minimal.loads[0], ...change }] } })).toEqual([]);
  });

  test.each([
    [
      'postgres://me:p#ss@db/app',
      '"postgres://me:***@db/app" cannot be read: it is not a valid URL',
    ],
    ['postgres://db:abc/app', 'what follows the host is no port'],
    ['postgres://me:a%2Fb@db:70000/app', 'what follows the host is no port'],
    ['postgres://me:x@[::1]:x/app', 'what follows the host is no port'],
    ['me:s3cret@db/app', '"me:***@db/app" is not allowed'],
    ['mysql://me:s3cret@db/app', '"mysql://me:***@db/app" is not allowed'],
    ['postgres://db/app?sslmode=verify_full', 'sslmode "verify_full". Did you mean "verify-full"?'],
  ])('%s', (databaseUrl, sentence) => {
    const [problem, ...others] = problemsOf({ file: JSON.stringify({ ...minimal, databaseUrl }) });
    expect(problem).toContain('databaseUrl (line 1): ');
    expect(problem).toContain(sentence);
    expect(others).toEqual([]);
  });

  test('a message stays readable, however much is wrong', () => {
    const problems = problemsOf({ file: { loads: Array.from({ length: 500 }, () => 1) } });
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toBe('and 400 more');
    const long = problemsOf({ file: { loads: 'x'.repeat(5_000) } });
    expect(long[0]?.length).toBeLessThan(200);
  });
});

test('without a job file the flag is named that is missing', () => {
  const overrides = [
    flag('loads.*.files', ['a.csv'], 'command line'),
    flag('loads.*.table', 't', '--table'),
    flag('loads.*.onConflict', 'newest', '--on-conflict'),
  ];
  const [problem] = problemsOf({ overrides });
  expect(problem).toMatch(/^loads\[0\]\.versionColumn \(--version-column\): is missing/);
});
