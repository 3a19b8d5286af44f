import { expect, test } from 'vitest';
import { rowTextSql, type PaddedDigits, type PaddedType } from '../../src/target/row-text.ts';
import { useScene } from '../support/scene.ts';

const VALUES = [
  ...['0', '-0', '7', '-7', '12.5', '12.25', '-3.125', '0.1', '0.30000000000000004', '1e-4'],
  ...['1e-5', '-1.5e-5', '1e5', '1.5e5', '123456.5', '1e6', '1.5e6', '1e14', '1e15', '-1e15'],
  ...[
    '999999999999999',
    '999999999999999.9',
    '99999999999999.99',
    '123456789012345.67',
    '1e16',
    '1.5e20',
    '1.25e20',
    '1.7e308',
    '5e-324',
    'NaN',
    'Infinity',
  ],
  ...['-Infinity', '999999.5', '99999.97', '0.001', '-0.0001', '0.00011', '16.1', '4.35', '1.005'],
  ...['262144.03', '8388607.5', '0.7', '-2.3', '1234567.5', '0.29', '1.0009'],
];

const scene = useScene(
  (table) => `create table ${table} (place int primary key, double float8, single float4);
    insert into ${table}
      select place, spelled::float8,
             case when spelled::float8 not between -3e38 and 3e38 or abs(spelled::float8) < 1e-30
                  then 0 else spelled::float8 end::float4
        from unnest('{${VALUES.join(',')}}'::text[]) with ordinality as of (spelled, place)`,
);

test.each([1, 2, 3, 4] as const)(
  'floats that are spelled with %i digits behind the point are read back as they were',
  async (digits: PaddedDigits) => {
    const padded = (of: PaddedType) => ({ kind: 'padded', of, digits }) as const;
    const columns = [
      { name: 'place', form: { kind: 'plain' } as const, quoted: false },
      { name: 'double', form: padded('float8'), quoted: false },
      { name: 'single', form: padded('float4'), quoted: false },
    ];
    const format = { delimiter: ',', null: '', quote: '"', escape: '"', encoding: 'UTF8' };
    const target = { schema: 'public', name: scene.table, key: ['place'] };
    const copy = rowTextSql(target, columns, format, null);
    const rows = /^copy \((.*)\) to stdout/.exec(copy)?.[1] ?? '';
    const read = await scene.db.query(
      `select f0, f1, f2, float8send(f1::float8) = float8send(double) as double,
              float4send(f2::float4) = float4send(single) as single
         from (${rows}) spelled join ${scene.table} on place = f0 order by f0`,
    );
    expect(read).toHaveLength(VALUES.length);
    expect(read.filter((row) => row['double'] !== true || row['single'] !== true)).toEqual([]);
    const spelled = new Map(read.map((row) => [VALUES[Number(row['f0']) - 1], row['f1']]));
    expect(spelled.get('7')).toBe(`7.${'0'.repeat(digits)}`);
    expect(spelled.get('12.5')).toBe(`12.5${'0'.repeat(digits - 1)}`);
  },
);
