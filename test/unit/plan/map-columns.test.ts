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
    isCsv: true,
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
    expect(problems[0]?.remedy).toContain(`--columns 'unit_prise='`);
    expect(problems[0]?.remedy).toContain(`--columns 'unit_prise=unit_price'`);
  });

  it.each([' E-Mail ', 'a,b', 'a=b', "it's"])(
    'is for a job file where a flag cannot say %j',
    (name) => {
      const { problems } = map(['id', name]);
      expect(problems[0]?.remedy).toContain(`${JSON.stringify({ [name]: null })} in a job file`);
      expect(problems[0]?.remedy).not.toContain('--columns');
    },
  );

  it('asks for delimiter and lines before the header where it is the only one of a CSV file', () => {
    const [csv] = map(['id^day^total']).problems;
    expect(csv?.remedy).toContain('--csv-delimiter');
    expect(csv?.remedy).toContain('--csv-skip-lines');
    expect(map(['ids'], { isCsv: false }).problems[0]?.remedy).not.toContain('--csv');
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
    expect(problem?.facts).toEqual({ file: 'a.csv', column: 'unit_pricee', table: 'app.orders' });
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
