import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferredType, newEvidence, observe, observeJson } from '../../../src/plan/infer-types.ts';
import { fitsSqlType, unifySqlTypes } from '../../../src/plan/sql-types.ts';

function infer(values: readonly (string | null)[], declared: readonly string[] = []): string {
  const evidence = newEvidence(declared);
  for (const value of values) observe(evidence, value, true);
  return inferredType(evidence);
}

describe('the type of a column of CSV files', () => {
  it.each([
    [['1', '2', null], 'bigint'],
    [['1', '2', ''], 'bigint'],
    [['1', '2.5'], 'numeric'],
    [['1', '9223372036854775808'], 'numeric'],
    [['1', '2.5e3'], 'double precision'],
    [['0.12345678901234567890', '1e3'], 'text'],
    [['true', 'f'], 'boolean'],
    [['1', 'true'], 'text'],
    [['02134', '1'], 'text'],
    [['2024-01-01', '2024-01-02'], 'date'],
    [['2024-01-01', '2024-01-01 10:00'], 'timestamp'],
    [['2024-01-01 10:00Z', '2024-01-01 10:00'], 'text'],
    [['{"a":1}', '[]'], 'jsonb'],
    [[null, '', null], 'text'],
    [[], 'text'],
  ])('%j is %s', (values, expected) => {
    expect(infer(values)).toBe(expected);
  });

  it('takes an empty text for a text where it does not mean NULL', () => {
    const evidence = newEvidence([]);
    for (const value of ['1', '']) observe(evidence, value, false);
    expect(inferredType(evidence)).toBe('text');
  });

  it('does not depend on the order of rows, nor on repetition', () => {
    const values = fc.oneof(
      fc.constantFrom(null, '', '1', '02', '1.5', '1e9', 'true', 'x', '2024-01-01'),
      fc.bigInt().map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.array(values, { maxLength: 20 }),
        fc.infiniteStream(fc.nat()),
        (all, order) => {
          const shuffled = all
            .map((value) => [order.next().value, value] as const)
            .sort(([a], [b]) => a - b)
            .map(([, value]) => value);
          expect(infer([...shuffled, ...all])).toBe(infer(all));
        },
      ),
    );
  });
});

describe('the type of a column that Parquet files bring, too', () => {
  it.each([
    [['integer'], ['1', '2147483647'], 'integer'],
    [['integer'], ['2147483648'], 'text'],
    [['numeric(10,2)'], ['12345678.90', '3'], 'numeric(10,2)'],
    [['numeric(10,2)'], ['1.234'], 'text'],
    [['numeric(10,2)'], ['123456789'], 'text'],
    [['real'], ['0.1', 'NaN', '-inf'], 'real'],
    [['double precision'], ['1e300', '1'], 'double precision'],
    [['timestamp without time zone'], ['2024-01-01'], 'timestamp'],
    [['timestamp with time zone'], ['2024-01-01 00:00:00+00'], 'timestamptz'],
    [['time without time zone'], ['10:00:00'], 'time'],
    [['bytea'], ['\\x00ff'], 'bytea'],
    [['bytea'], ['00ff'], 'text'],
    [['jsonb'], ['1', '"a"'], 'jsonb'],
    [['boolean'], ['yes'], 'text'],
    [['interval'], ['1 day'], 'text'],
    [['integer'], [null, ''], 'integer'],
  ])('%j with CSV values %j: %s', (declared, values, expected) => {
    expect(infer(values, declared)).toBe(expected);
  });
});

describe('one type for several Parquet types', () => {
  it.each([
    [[], null],
    [['integer', 'int4'], 'integer'],
    [['smallint', 'bigint', 'integer'], 'bigint'],
    [['numeric(10,2)', 'numeric(5,4)'], 'numeric(12,4)'],
    [['numeric(10,2)', 'bigint'], 'numeric(21,2)'],
    [['numeric', 'smallint'], 'numeric'],
    [['real', 'integer'], 'double precision'],
    [['double precision', 'bigint'], 'text'],
    [['date', 'timestamp without time zone'], 'timestamp'],
    [['timestamp', 'timestamptz'], 'text'],
    [['uuid', 'text'], 'text'],
  ])('%j: %s', (types, expected) => {
    expect(unifySqlTypes(types)).toBe(expected);
  });

  it('does not depend on the order of the files', () => {
    const types = fc.constantFrom(
      ...['smallint', 'integer', 'bigint', 'numeric(10,2)', 'numeric(20,0)', 'numeric', 'real'],
      ...['double precision', 'date', 'timestamp', 'timestamptz', 'text', 'uuid'],
    );
    fc.assert(
      fc.property(fc.array(types, { minLength: 1, maxLength: 5 }), (all) => {
        expect(unifySqlTypes(all.toReversed())).toBe(unifySqlTypes(all));
        expect(unifySqlTypes([...all, ...all])).toBe(unifySqlTypes(all));
      }),
    );
  });

  it('holds whatever each of them holds', () => {
    const types = fc.constantFrom('smallint', 'integer', 'bigint', 'numeric(6,2)', 'numeric(9,0)');
    const values = fc.oneof(fc.integer().map(String), fc.constantFrom('1.25', '9999.99', '0'));
    fc.assert(
      fc.property(types, types, values, (a, b, value) => {
        fc.pre(fitsSqlType(a, value));
        expect(fitsSqlType(unifySqlTypes([a, b]) ?? '', value)).toBe(true);
      }),
    );
  });
});

describe('the type of values of JSON files', () => {
  const string = (value: string) => [value, true] as const;
  const plain = (value: string) => [value, false] as const;

  it.each([
    [[plain('1'), plain('-9223372036854775808')], 'bigint'],
    [[plain('1'), plain('9223372036854775808')], 'numeric'],
    [[plain('1'), plain('1.0')], 'numeric'],
    [[plain('1e400')], 'numeric'],
    [[plain('true'), plain('false')], 'boolean'],
    [[string('true')], 'text'],
    [[string('1')], 'text'],
    [[plain('1'), string('1')], 'text'],
    [[plain('{"a":1}'), plain('[]')], 'jsonb'],
    [[string('{"a":1}')], 'text'],
    [[plain('[]'), string('x')], 'text'],
    [[string('2024-01-01T10:00:00Z')], 'timestamptz'],
    [[string('2024-01-01')], 'date'],
    [[string('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')], 'uuid'],
    [[string('')], 'text'],
    [[], 'text'],
  ])('%j: %s', (values, type) => {
    const evidence = newEvidence([]);
    for (const [value, isString] of values) observeJson(evidence, value, isString);
    observeJson(evidence, null, false);
    expect(inferredType(evidence)).toBe(type);
  });

  it('is that of Parquet files where they fit it', () => {
    const evidence = newEvidence(['integer']);
    observeJson(evidence, '7', false);
    expect(inferredType(evidence)).toBe('integer');
    observeJson(evidence, '7.5', false);
    expect(inferredType(evidence)).toBe('text');
  });
});
