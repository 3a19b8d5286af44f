import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadSequentially, type OracleRow } from '../../tools/oracle.ts';
import { expectNoLeaks } from '../support/database.ts';
import { createWorkplace, loadTable, rowsOf, type Workplace } from '../support/table-pair.ts';
import { zstdFrame } from '../support/zstd-frame.ts';

/** The same rows in every dialect leave the same table. */
let place: Workplace;
let tables = 0;

const COLUMNS = ['id', 'name', 'note', 'amount', 'day', 'tags'];
const DDL = `(id integer primary key, name text not null, note text, amount numeric(8,2), day date,
  tags text[])`;

/** Every character that means something to some dialect. */
const ROWS: readonly OracleRow[] = [
  ['1', 'plain', 'words', '12.50', '2024-02-29', '{a,b}'],
  ['2', 'comma, here', 'semi; colon', '-1', null, '{}'],
  ['3', 'bar | and || two', 'tab\there', null, '2024-01-01', '{"a, b",NULL}'],
  ['4', 'say "hi"', "it's", '0', '2024-01-01', null],
  ['5', '', null, '1', null, null],
  ['6', 'NA', 'NULL', '1', null, '{NA}'],
  ['7', ' spaces around ', '\\ back\\slash "\\"', '1', null, '{"\\\\"}'],
  ['8', '# no comment', '\\.', '1', null, null],
  ['9', 'two\nlines', 'é ü ß', '1', null, '{é}'],
  ['10', "'", '"', '1', null, null],
];

/** Rows that need no quotes in any dialect. */
const BARE = ROWS.filter(([id]) => id === '1').concat([
  ['2', 'zwei', null, '-1.25', null, '{}'],
  ['3', 'é', 'words', null, '2024-01-01', null],
]);

interface Spelling {
  readonly delimiter?: string;
  readonly quote?: string | null;
  readonly escape?: string;
  readonly null?: string;
  readonly lineEnd?: string;
  readonly header?: boolean;
}

/** Fields are quoted where the dialect needs it, and all where `null` would be mistaken. */
function spelled(rows: readonly OracleRow[], spelling: Spelling = {}): string {
  const { delimiter = ',', quote = '"', lineEnd = '\n', header = true } = spelling;
  const { null: missing = '' } = spelling;
  const escape = spelling.escape ?? quote ?? '';
  const field = (value: string | null): string => {
    if (value === null) return missing;
    if (quote === null) return value;
    const special = [delimiter, quote, escape, '\n', '\r', '\\', '#'];
    const bare = value !== missing && value.trim() === value && value !== '';
    if (bare && !special.some((character) => value.includes(character))) return value;
    const inside = value.replace(/./gsu, (c) => (c === quote || c === escape ? escape + c : c));
    return quote + inside + quote;
  };
  const records = header ? [COLUMNS, ...rows] : rows;
  return records.map((row) => row.map(field).join(delimiter) + lineEnd).join('');
}

function utf16(text: string, order: 'le' | 'be'): Buffer {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
}

interface Dialect {
  readonly name: string;
  readonly file: string;
  readonly content: string | Buffer;
  readonly csv?: object;
  readonly rows?: readonly OracleRow[];
}

const commented = spelled(ROWS)
  .replace(/^(?=[367],)/gm, '# a comment, "with" quote\n')
  .replace(/^/, '# before the header\n');

const padded = spelled(ROWS).replace('1,plain,words', '  1 ,  plain ,\twords ');

const dialects: readonly Dialect[] = [
  { name: 'semicolons, found', file: 'a.csv', content: spelled(ROWS, { delimiter: ';' }) },
  { name: 'tabs, found', file: 'a.csv', content: spelled(ROWS, { delimiter: '\t' }) },
  { name: 'bars, found', file: 'a.csv', content: spelled(ROWS, { delimiter: '|' }) },
  { name: 'tabs by the name', file: 'a.tsv', content: spelled(ROWS, { delimiter: '\t' }) },
  {
    name: 'a delimiter that is told',
    file: 'a.csv',
    content: spelled(ROWS, { delimiter: '~' }),
    csv: { delimiter: '~' },
  },
  {
    name: 'a delimiter of two characters',
    file: 'a.csv',
    content: spelled(ROWS, { delimiter: '||' }),
    csv: { delimiter: '||' },
  },
  {
    name: 'single quotes',
    file: 'a.csv',
    content: spelled(ROWS, { quote: "'" }),
    csv: { quote: "'" },
  },
  {
    name: 'backslash escapes',
    file: 'a.csv',
    content: spelled(ROWS, { escape: '\\' }),
    csv: { escape: '\\' },
  },
  {
    name: 'no quotes',
    file: 'a.csv',
    content: spelled(BARE, { delimiter: '\t', quote: null }),
    csv: { quote: null },
    rows: BARE,
  },
  {
    name: 'NULL as NA',
    file: 'a.csv',
    content: spelled(ROWS, { null: 'NA' }),
    csv: { null: 'NA' },
  },
  {
    name: 'NULL as \\N',
    file: 'a.tsv',
    content: spelled(ROWS, { null: '\\N', delimiter: '\t' }),
    csv: { null: '\\N' },
  },
  {
    name: 'Latin-1',
    file: 'a.csv',
    content: Buffer.from(spelled(ROWS), 'latin1'),
    csv: { encoding: 'latin1' },
  },
  {
    name: 'Windows-1252, in rows',
    file: 'a.csv',
    content: Buffer.from(commented, 'latin1'),
    csv: { encoding: 'win1252', comment: '#' },
  },
  {
    name: 'UTF-16, little-endian',
    file: 'a.csv',
    content: utf16(spelled(ROWS), 'le'),
    csv: { encoding: 'utf16le' },
  },
  {
    name: 'UTF-16, big-endian, CR LF',
    file: 'a.csv',
    content: utf16(spelled(ROWS, { lineEnd: '\r\n' }), 'be'),
    csv: { encoding: 'utf16be' },
  },
  { name: 'a byte-order mark', file: 'a.csv', content: `\ufeff${spelled(ROWS)}` },
  { name: 'comments', file: 'a.csv', content: commented, csv: { comment: '#' } },
  { name: 'white space to trim', file: 'a.csv', content: padded, csv: { trim: true } },
  {
    name: 'lines to skip',
    file: 'a.csv',
    content: `Report of today\n"unbalanced\n${spelled(ROWS)}`,
    csv: { skipLines: 2 },
  },
  {
    name: 'no header',
    file: 'a.csv',
    content: spelled(ROWS, { header: false }),
    csv: { header: false },
  },
  {
    name: 'no header, in rows',
    file: 'a.csv',
    content: spelled(ROWS, { header: false }),
    csv: { header: false, trim: true },
  },
  { name: 'CR LF', file: 'a.csv', content: spelled(ROWS, { lineEnd: '\r\n' }) },
  { name: 'CR', file: 'a.csv', content: spelled(ROWS, { lineEnd: '\r' }) },
  {
    name: 'CR, in rows',
    file: 'a.csv',
    content: spelled(ROWS, { lineEnd: '\r' }),
    csv: { trim: true },
  },
  { name: 'no last line end', file: 'a.csv', content: spelled(ROWS).slice(0, -1) },
  { name: 'empty lines', file: 'a.csv', content: spelled(ROWS).replace(/^(?=[28],)/gm, '\n') },
  { name: 'gzip', file: 'a.csv.gz', content: gzipSync(spelled(ROWS)) },
  { name: 'Zstandard', file: 'a.csv.zst', content: zstdFrame(Buffer.from(spelled(ROWS))) },
  {
    name: 'all at once',
    file: 'a.tsv.gz',
    content: gzipSync(
      Buffer.from(
        `skip me\r\n${spelled(ROWS, {
          ...{ delimiter: '\t', quote: "'", escape: '\\', null: 'none', lineEnd: '\r\n' },
        })}`,
        'latin1',
      ),
    ),
    csv: { quote: "'", escape: '\\', null: 'none', skipLines: 1, encoding: 'latin1' },
  },
];

beforeAll(async () => {
  place = await createWorkplace();
  for (const [name, rows] of [
    ['plain', ROWS],
    ['bare', BARE],
  ] as const) {
    await place.db.query(`create table ${name} ${DDL}`);
    const target = {
      columns: COLUMNS,
      key: ['id'],
      onConflict: 'append',
      versionColumn: null,
    } as const;
    const execute = (sql: string, params: readonly unknown[]) => place.db.query(sql, params);
    await loadSequentially(execute, { table: name, ...target }, [{ columns: COLUMNS, rows }]);
  }
});
afterEach(() => expectNoLeaks(place.db.url));
afterAll(() => place.remove());

describe('a file with', () => {
  it.each(dialects)('$name', async ({ file, content, csv = {}, rows = ROWS }) => {
    const table = `dialect_${++tables}`;
    await place.db.query(`create table ${table} ${DDL}`);
    const path = join(place.folder, `${table}-${file}`);
    await writeFile(path, content);
    const { report } = await loadTable(place, { table, files: [path], csv });
    expect(report.loads[0]?.totals.inserted).toBe(rows.length);
    expect(await rowsOf(place, table)).toEqual(
      await rowsOf(place, rows === BARE ? 'bare' : 'plain'),
    );
  });
});

/** ポ and ソ of Shift JIS end in the bytes of a bar and of a backslash. */
describe('a character that ends in', () => {
  const po = Buffer.of(0x83, 0x7c);
  const so = Buffer.of(0x83, 0x5c);

  it('the delimiter does not end a key', async () => {
    const records = ['A|1', 'B|2', 'A|3', 'B|4', 'C|5', 'C|6'].map((rest) =>
      Buffer.concat([po, Buffer.from(`${rest}\n`)]),
    );
    const path = join(place.folder, 'bars.csv');
    await writeFile(path, Buffer.concat([Buffer.from('k|v\n'), ...records]));
    await place.db.query(`create table bars (k text primary key, v int)`);
    const csv = { encoding: 'sjis', delimiter: '|' };
    await loadTable(place, { table: 'bars', files: [path], strategy: 'partitioned', csv });
    expect(await rowsOf(place, 'bars')).toEqual([
      { k: 'ポA', v: '3' },
      { k: 'ポB', v: '4' },
      { k: 'ポC', v: '6' },
    ]);
  });

  it('the escape does not guard a quote', async () => {
    const path = join(place.folder, 'escapes.csv');
    const records = [Buffer.from('k,v\n1,"'), so, Buffer.from('"\n2,"'), so, Buffer.from('"\n')];
    await writeFile(path, Buffer.concat(records));
    await place.db.query(`create table escapes (k int primary key, v text)`);
    await loadTable(place, {
      table: 'escapes',
      files: [path],
      csv: { encoding: 'sjis', escape: '\\' },
    });
    expect(await rowsOf(place, 'escapes')).toEqual([
      { k: '1', v: 'ソ' },
      { k: '2', v: 'ソ' },
    ]);
  });
});
