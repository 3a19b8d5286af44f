import { describe, expect, test } from 'vitest';
import { pageFor } from '../../../src/report/page.ts';
import { renderTable } from '../../../src/report/table.ts';
import type { Column } from '../../../src/report/table.ts';
import { displayWidth } from '../../../src/report/text-width.ts';

const COLUMNS: readonly Column[] = [
  { title: 'file', align: 'left', fit: 'cut' },
  { title: 'rows', align: 'right' },
  { title: 'first', align: 'left', dropRank: 1 },
  { title: 'second', align: 'left', dropRank: 2 },
];

function table(rows: readonly (readonly string[])[], width: number, footerRows = 0): string {
  return renderTable(COLUMNS, rows, {
    page: pageFor({ color: false, width }),
    indent: 1,
    footerRows,
  });
}

describe('a table', () => {
  test('of very many rows is as wide in all of them, and has each once', () => {
    const names = Array.from(
      { length: 450 },
      (_, row) => ['x', '日本語', 'e\u0301'][row % 3] ?? '',
    );
    const rows = names.map((name, row) => [`${name} ${row}`, String(row * 7)]);
    const columns = COLUMNS.slice(0, 2);
    const options = { page: pageFor({ color: false, width: 80 }), indent: 1, footerRows: 1 };
    const lines = renderTable(columns, rows, options).split('\n');
    expect(new Set(lines.map(displayWidth)).size).toBe(1);
    const [, rule = ''] = lines;
    const told = lines.slice(2).filter((line) => line !== rule);
    expect(told.map((line) => line.trim().split(/ {2,}/))).toEqual(rows);
    // Some of them alone, the widest among them, say it in the same words.
    const few = renderTable(columns, rows.slice(300), options).split('\n');
    expect(lines.slice(2 + 300)).toEqual(few.slice(2));
  });

  test('aligns wide characters with narrow ones', () => {
    const rows = [
      ['日本語.csv', '1'],
      ['e\u0301.csv', '1,000'],
      ['plain.csv', '10'],
    ];
    const text = renderTable(COLUMNS.slice(0, 2), rows, {
      page: pageFor({ color: false, width: 80 }),
      indent: 1,
    });
    expect(new Set(text.split('\n').map(displayWidth)).size).toBe(1);
    expect(`\n${text}`).toMatchInlineSnapshot(`
      "
       file         rows
       ──────────  ─────
       日本語.csv      1
       é.csv       1,000
       plain.csv      10"
    `);
  });

  test('has its totals below a line, and no spaces at the ends of lines', () => {
    const text = table(
      [
        ['a.csv', '1', '', ''],
        ['total', '1', '', ''],
      ],
      80,
      1,
    );
    expect(text).not.toMatch(/ $/m);
    expect(`\n${text}`).toMatchInlineSnapshot(`
      "
       file   rows  first  second
       ─────  ────  ─────  ──────
       a.csv     1
       ─────  ────  ─────  ──────
       total     1"
    `);
  });

  test('cuts names first, then leaves out the columns of the highest rank, and says so', () => {
    const rows = [['a-long-name-of-an-export-2025-03-01.csv', '500,000', 'aaaaaaaa', 'bbbbbbbb']];
    expect(`\n${table(rows, 50)}`).toMatchInlineSnapshot(`
      "
       file                     rows  first     second
       ────────────────────  ───────  ────────  ────────
       a-long-…25-03-01.csv  500,000  aaaaaaaa  bbbbbbbb"
    `);
    expect(`\n${table(rows, 40)}`).toMatchInlineSnapshot(`
      "
       file                     rows  first
       ────────────────────  ───────  ────────
       a-long-…25-03-01.csv  500,000  aaaaaaaa
       (too narrow to show second)"
    `);
  });

  test('colours change nothing but colours', () => {
    const rows = [['a.csv', { text: '1', paint: (text: string) => `\u001b[31m${text}\u001b[39m` }]];
    const render = (color: boolean): string =>
      renderTable(COLUMNS.slice(0, 2), rows, { page: pageFor({ color, width: 80 }), indent: 0 });
    const stripped = render(true).replaceAll(/\u001b\[\d+m/gu, '');
    expect(stripped).toBe(render(false).replaceAll(/\u001b\[\d+m/gu, ''));
    expect(render(true)).toContain('\u001b[31m1\u001b[39m');
  });
});
