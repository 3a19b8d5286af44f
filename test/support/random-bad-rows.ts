import fc from 'fast-check';
import type { OracleFile, OracleRow } from '../../tools/oracle.ts';
import { csvOf, type RandomLoad } from './random-load.ts';

/**
 * What is wrong with a row. Those of the last two kinds are refused by a constraint, so they are
 * rejected only where they would be written: one that loses to another row is superseded.
 */
export const BAD_KINDS = [
  'type',
  'overflow',
  'null key',
  'few fields',
  'many fields',
  'open quote',
  'stray quote',
  'check',
  'foreign key',
] as const;
export type BadKind = (typeof BAD_KINDS)[number];

/** A bad row that comes before row `before` of the file. */
export interface BadRow {
  readonly kind: BadKind;
  readonly before: number;
}

/**
 * Bad rows by file. Quotes go wrong in one way in a file: `"open` and `in"side` close each other, and
 * nobody could tell.
 */
export function badRowsOf(random: RandomLoad): fc.Arbitrary<readonly (readonly BadRow[])[]> {
  const one = fc.record({
    kind: fc.constantFrom(...BAD_KINDS),
    before: fc.integer({ min: 0, max: 14 }),
  });
  const some = fc
    .array(one, { maxLength: 4 })
    .map((rows) =>
      rows.some(({ kind }) => kind === 'open quote')
        ? rows.filter(({ kind }) => kind !== 'stray quote')
        : rows,
    );
  return fc.tuple(...random.files.map(() => some));
}

/** What makes them bad: constraints of the column `version`, and a key that is never NULL. */
export function constraintsOf({
  key,
  onConflict,
}: Pick<RandomLoad, 'key' | 'onConflict'>): string[] {
  const present = key.map(({ name }) => `check (${name} is not null)`);
  return [
    ...(onConflict === 'append' ? present : []),
    'constraint not_negative check (version >= 0)',
    'foreign key (version) references known_versions',
  ];
}

/** The table that these need. */
export const KNOWN_VERSIONS =
  'create table known_versions (version integer primary key);' +
  'insert into known_versions values (-1), (1), (2), (3), (4)';

/** A file's text with the bad rows among the good ones. */
export function csvWithBadRows(file: OracleFile, bad: readonly BadRow[]): string {
  const [header = '', ...lines] = linesOf(file);
  const text = lines.flatMap((line, index) => [...badLines(file, bad, index), line]);
  const behind = bad.filter(({ before }) => before >= lines.length);
  return [header, ...text, ...behind.map(({ kind }) => badLine(file, kind))].join('');
}

function linesOf(file: OracleFile): string[] {
  const header = csvOf({ columns: file.columns, rows: [] });
  const lineOf = (row: OracleRow): string =>
    csvOf({ columns: file.columns, rows: [row] }).slice(header.length);
  return [header, ...file.rows.map(lineOf)];
}

function badLines(file: OracleFile, bad: readonly BadRow[], index: number): string[] {
  return bad.filter(({ before }) => before === index).map(({ kind }) => badLine(file, kind));
}

function badLine({ columns, rows }: OracleFile, kind: BadKind): string {
  const like = rows[0] ?? columns.map(() => null);
  const versioned = (version: string, key = true): string =>
    csvOf({
      columns,
      rows: [
        columns.map((name, place) =>
          name === 'version'
            ? version
            : name.startsWith('k')
              ? key
                ? (like[place] ?? null)
                : null
              : null,
        ),
      ],
    }).slice(csvOf({ columns, rows: [] }).length);
  switch (kind) {
    case 'type':
      return versioned('two');
    case 'overflow':
      return versioned('3000000000');
    case 'null key':
      return versioned('1', false);
    case 'few fields':
      return `${'1,'.repeat(Math.max(0, columns.length - 2))}1\n`;
    case 'many fields':
      return `${'1,'.repeat(columns.length)}1\n`;
    case 'open quote':
      return '"never closed\n';
    case 'stray quote':
      return `in"side${',1'.repeat(columns.length - 1)}\n`;
    case 'check':
      return versioned('-1');
    case 'foreign key':
      return versioned('9');
  }
}
