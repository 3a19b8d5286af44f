import { describe, expect, it } from 'vitest';
import { mapColumns, type MappingRequest } from '../../../src/plan/map-columns.ts';
import { matchName } from '../../../src/plan/match-name.ts';
import { column } from './fixtures.ts';

const TABLE = {
  sqlName: 'app.orders',
  columns: [
    column('id', 'int8', { notNull: true }),
    column('Order Date', 'date'),
    column('unit_price', 'numeric'),
    column('total', 'numeric', { generated: 'stored' }),
    column('made', 'timestamptz', { notNull: true, hasDefault: true }),
  ],
};

function map(columns: readonly string[], more: Partial<MappingRequest> = {}) {
  const { targets, problems } = mapColumns({
    file: 'a.csv',
    columns,
    format: 'csv',
    header: true,
    explicit: {},
    table: TABLE,
    required: ['id'],
    ...more,
  });
  return { targets, codes: problems.map(({ code }) => code), problems };
}

describe('the remedy for a column that the table lacks', () => {
  it('names the flag, with the column that is near', () => {
    const { problems } = map(['id', 'unit_prise']);
    expect(problems[0]?.facts.settings).toEqual([
      { flag: `--columns 'unit_prise='`, field: 'columns: {"unit_prise":null}' },
      {
        flag: '--columns unit_prise=unit_price',
        field: 'columns: {"unit_prise":"unit_price"}',
      },
    ]);
    expect(problems[0]?.remedy).toContain(`--columns 'unit_prise='`);
    expect(problems[0]?.remedy).toContain(`--columns unit_prise=unit_price`);
  });

  it.each([' E-Mail ', 'a,b', 'a=b'])('is for a job file where a flag cannot say %j', (name) => {
    const { problems } = map(['id', name]);
    expect(problems[0]?.remedy).toContain(`${JSON.stringify({ [name]: null })} in a job file`);
    expect(problems[0]?.remedy).not.toContain('--columns');
  });

  it('quotes what a shell would take apart', () => {
    expect(map(['id', "it's"]).problems[0]?.remedy).toContain(`--columns 'it'\\''s='`);
  });

  it('maps to no column that another one of the file goes to', () => {
    const [near] = map(['id', 'unit_price', 'unit_prise']).problems;
    expect(near?.sentence).not.toContain('Did you mean');
    expect(near?.remedy).not.toContain('=unit_price');
    const all = map(['id', 'Order Date', 'unit_price', 'made', 'note']).problems[0];
    expect(all?.remedy).toMatch(/--columns 'note=', or add it to the table\.$/);
  });
});

describe('a file of which no column is one of the table', () => {
  it.each([
    [['id^day^total'], 'csv', ['--csv-delimiter', '--csv-skip-lines']],
    [['1', 'Ann', '1.5'], 'csv', ['--no-csv-header', '--csv-skip-lines', '--columns 1=id']],
    [['da/ta'], 'json', ["--json-records '/da~1ta'"]],
    [['x', 'y'], null, ['Name another table', '--columns x=id']],
  ] as const)('%j of %s is one problem, with what may be meant', (columns, format, words) => {
    const { problems } = map(columns, { format });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.sentence).toContain(`is one of app.orders: ${columns.join(', ')}.`);
    for (const word of words) expect(problems[0]?.remedy).toContain(word);
    expect(problems[0]?.remedy.includes('--csv')).toBe(format === 'csv');
    expect(problems[0]?.facts).not.toHaveProperty('column');
  });

  it('names twenty columns of many', () => {
    const { problems } = map(Array.from({ length: 30 }, (_, index) => `c${index}`));
    expect(problems[0]?.sentence).toMatch(/c19 and 10 more\.$/);
  });

  it('is told column by column where the job maps one of them', () => {
    const { problems } = map(['x', 'y'], { explicit: { x: 'id' } });
    expect(problems.map(({ facts }) => facts.column)).toEqual(['y']);
  });
});

describe('a column that no file brings', () => {
  it('is one that is left over, or is to be added', () => {
    expect(map(['made', 'ids']).problems.at(-1)?.remedy).toContain('--columns ids=id');
    expect(map(['made']).problems.at(-1)?.remedy).toBe('Add it to the file.');
    const needed = {
      sqlName: 'app.t',
      columns: [column('id', 'int8'), column('n', 'int4', { notNull: true })],
    };
    expect(map(['id'], { table: needed }).problems[0]?.remedy).toBe(
      'Add it to the file, or give it a default: alter table app.t alter n set default …;',
    );
  });
});

describe('names that match', () => {
  it.each([
    ['id', ['ID', 'id'], 'id'],
    ['Id', ['ID', 'name'], 'ID'],
    ['Id', ['ID', 'id'], null],
    ['order date', ['order_date'], 'order_date'],
    ['OrderDate', ['order_date', 'orderdate'], 'orderdate'],
    ['Order Date', ['order_date', 'order__date'], null],
    ['x', ['id'], null],
  ])('%s among %j is %s', (wanted, names, expected) => {
    expect(matchName(wanted, names)).toBe(expected);
  });
});

describe('mapping the columns of a file', () => {
  it('goes by the name, then without case, then without spaces and underscores', () => {
    const { targets, problems } = map(['Unit Price', 'ID', 'order_date']);
    expect(targets).toEqual(['unit_price', 'id', 'Order Date']);
    expect(problems).toEqual([]);
  });

  it('follows the job where it says something', () => {
    const explicit = { key: 'id', note: null, Id: 'unit_price' };
    const { targets, problems } = map(['key', 'note', 'Id'], { explicit });
    expect(targets).toEqual(['id', null, 'unit_price']);
    expect(problems).toEqual([]);
  });

  it('does not take what every object has for a mapping', () => {
    expect(map(['id', 'constructor']).codes).toEqual(['ETL_COLUMN_MISSING']);
  });

  it('takes the order of the table, generated columns aside, where there is no header', () => {
    const names = ['column1', 'column2', 'column3', 'column4'];
    expect(map(names, { header: false }).targets).toEqual([
      'id',
      'Order Date',
      'unit_price',
      'made',
    ]);
    const { codes, problems } = map([...names, 'column5'], { header: false });
    expect(codes).toEqual(['ETL_COLUMN_MISSING']);
    expect(problems[0]?.sentence).toContain('5 columns and no header');
  });

  it('refuses a column that the table lacks, with the nearest name and the way out', () => {
    const [problem] = map(['id', 'unit_pricee']).problems;
    expect(problem?.code).toBe('ETL_COLUMN_MISSING');
    expect(problem?.sentence).toContain('Did you mean "unit_price"?');
    expect(problem?.remedy).toContain("--columns 'unit_pricee='");
    expect(problem?.remedy).toContain('id, Order Date, unit_price');
    expect(problem?.facts).toMatchObject({
      file: 'a.csv',
      column: 'unit_pricee',
      table: 'app.orders',
    });
  });

  it.each([
    ['a mapping to nowhere', ['id', 'x'], { explicit: { x: 'pric' } }, 'ETL_COLUMN_MISSING'],
    ['two columns to one', ['id', 'ID'], {}, 'ETL_COLUMN_DUPLICATE'],
    ['a generated column', ['id', 'total'], {}, 'ETL_COLUMN_TYPE'],
    ['a key that is not brought', ['unit_price'], {}, 'ETL_COLUMN_MISSING'],
    ['NOT NULL without a default', ['unit_price'], { required: [] }, 'ETL_COLUMN_MISSING'],
    ['no version', ['id'], { required: ['id', 'unit_price'] }, 'ETL_COLUMN_MISSING'],
  ])('refuses %s', (_, columns, more, code) => {
    expect(map(columns, more).codes).toEqual([code]);
  });

  it('tells every problem of the file', () => {
    expect(map(['nope', 'total', 'Total']).codes.toSorted()).toEqual([
      'ETL_COLUMN_DUPLICATE',
      'ETL_COLUMN_MISSING',
      'ETL_COLUMN_MISSING',
      'ETL_COLUMN_TYPE',
    ]);
  });
});
