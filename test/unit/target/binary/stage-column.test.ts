import { describe, expect, it } from 'vitest';
import type { ParquetType } from '../../../../src/source/source-file.ts';
import { stageColumn } from '../../../../src/target/binary/stage-column.ts';
import type { TargetType } from '../../../../src/target/table.ts';

/** What PostgreSQL makes of the bytes is tested in test/integration/parquet-types.test.ts. */
const target = (
  declared: string,
  typeName: string,
  more: Partial<TargetType> = {},
): TargetType => ({
  declared,
  cast: declared,
  typeName,
  kind: 'base',
  element: null,
  hashable: true,
  bytewise: true,
  ...more,
});
const integer = (bits: 8 | 16 | 32 | 64, signed: boolean): ParquetType => ({
  kind: 'integer',
  bits,
  signed,
});
const timestamp = (unit: 'us' | 'ns', utc: boolean): ParquetType => ({
  kind: 'timestamp',
  unit,
  utc,
  int96: false,
});
const list: ParquetType = { kind: 'list', element: timestamp('ns', true) };

describe('the natural type', () => {
  it.each<[ParquetType, string]>([
    [{ kind: 'boolean' }, 'boolean'],
    [integer(8, true), 'smallint'],
    [integer(8, false), 'smallint'],
    [integer(16, false), 'integer'],
    [integer(32, true), 'integer'],
    [integer(32, false), 'bigint'],
    [integer(64, true), 'bigint'],
    [integer(64, false), 'numeric(20,0)'],
    [{ kind: 'float', bits: 16 }, 'real'],
    [{ kind: 'float', bits: 64 }, 'double precision'],
    [{ kind: 'decimal', precision: 38, scale: 10 }, 'numeric(38,10)'],
    [{ kind: 'decimal', precision: 2000, scale: 10 }, 'numeric'],
    [timestamp('us', true), 'timestamp with time zone'],
    [timestamp('us', false), 'timestamp without time zone'],
    [{ kind: 'enum' }, 'text'],
    [{ kind: 'json' }, 'jsonb'],
    [{ kind: 'bson' }, 'bytea'],
    [{ kind: 'null' }, 'text'],
    [list, 'jsonb'],
  ])('of %o is %s', (type, sqlType) => {
    expect(stageColumn(type, null).sqlType).toBe(sqlType);
  });
});

describe('for a column of a table', () => {
  it('the target itself is staged where its bytes follow', () => {
    const numeric = target('numeric(10,2)', 'numeric');
    expect(stageColumn(integer(64, true), numeric)).toEqual({
      sqlType: 'numeric(10,2)',
      encoding: 'numeric',
      lossless: true,
      loss: null,
    });
    const mood = target('app.mood', 'mood', { kind: 'enum' });
    expect(stageColumn({ kind: 'string' }, mood)).toMatchObject({
      sqlType: 'app.mood',
      encoding: 'bytes',
    });
  });

  it('the natural type is staged where the session decides what it means', () => {
    const zoned = target('timestamp with time zone', 'timestamptz');
    expect(stageColumn(timestamp('us', false), zoned)).toMatchObject({
      sqlType: 'timestamp without time zone',
    });
    expect(stageColumn(timestamp('us', true), target('date', 'date'))).toMatchObject({
      sqlType: 'timestamp without time zone',
      loss: 'the time of day is dropped',
    });
  });

  it('text is staged where SQL must read it', () => {
    expect(stageColumn({ kind: 'string' }, target('integer', 'int4'))).toMatchObject({
      sqlType: 'text',
      encoding: 'bytes',
    });
    expect(stageColumn({ kind: 'uuid' }, target('bytea', 'bytea'))).toMatchObject({
      sqlType: 'text',
      encoding: 'text',
    });
    const array = target('timestamptz[]', '_timestamptz', { kind: 'array' });
    expect(stageColumn(list, array)).toMatchObject({ sqlType: 'text', encoding: 'array' });
  });

  it('says what is lost', () => {
    const lossOf = (type: ParquetType, to: TargetType | null): string | null => {
      const stage = stageColumn(type, to);
      expect(stage.lossless).toBe(stage.loss === null);
      return stage.loss;
    };
    expect(lossOf(timestamp('ns', true), null)).toMatch(/nanoseconds/);
    expect(lossOf(list, null)).toMatch(/nanoseconds/);
    expect(lossOf(timestamp('us', true), null)).toBeNull();
    const money = target('numeric(10,1)', 'numeric');
    expect(lossOf({ kind: 'decimal', precision: 9, scale: 2 }, money)).toMatch(/1 decimals/);
    expect(lossOf({ kind: 'float', bits: 64 }, target('real', 'float4'))).toMatch(/single/);
    expect(lossOf(integer(64, true), target('double precision', 'float8'))).toMatch(/2\^53/);
    expect(lossOf({ kind: 'binary' }, target('text', 'text'))).toMatch(/UTF-8/);
    expect(lossOf({ kind: 'binary' }, target('integer', 'int4'))).toMatch(/UTF-8/);
  });
});
