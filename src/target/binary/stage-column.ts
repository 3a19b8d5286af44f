import { unreachable } from '../../assert.ts';
import type { ParquetType } from '../../source/source-file.ts';
import { emptyIsNull } from '../empty-text.ts';
import type { TargetType } from '../table.ts';
import { UTF8_LOSS, directEncoding } from './direct-encoding.ts';
import type { FieldEncoding } from './direct-encoding.ts';

/** How a column of a Parquet file is staged. Part of a plan: plain JSON. */
export interface StageColumn {
  /** Type of the staging table's column. Where it is the target's `declared`, no cast is needed. */
  readonly sqlType: string;
  readonly encoding: FieldEncoding;
  readonly lossless: boolean;
  /** What is lost, for the plan: `nanoseconds are rounded to microseconds`. */
  readonly loss: string | null;
  /** An empty text is NULL, as it is in a CSV file, since the target's type has no such value. */
  readonly emptyIsNull?: true;
}

/**
 * The staging column for a column of a table; without a target, the natural type for a table that
 * is created.
 *
 * Where the binary form of the target's type follows from a value's bits, that is written, and
 * COPY applies the target's modifier. All else is staged as its natural type where PostgreSQL has
 * a cast from it, or as text, and the merge casts `staged.col::target`: SQL alone decides then.
 */
export function stageColumn(type: ParquetType, target: TargetType | null): StageColumn {
  if (target === null) return naturalColumn(type);
  const direct = directEncoding(type, target);
  const column =
    direct === null
      ? castColumn(type, target)
      : stage(target.declared, direct.encoding, direct.loss ?? cutOf(type, direct.encoding));
  return isText(type) && emptyIsNull(target) ? { ...column, emptyIsNull: true } : column;
}

/** Whether a value may lie in the file as text. */
function isText({ kind }: ParquetType): boolean {
  return kind === 'string' || kind === 'enum' || kind === 'json' || kind === 'binary';
}

/** Natural types from which PostgreSQL casts to these targets by itself. */
const CASTS: Partial<Record<ParquetType['kind'], readonly string[]>> = {
  boolean: ['int4'],
  date: ['timestamp', 'timestamptz'],
  timestamp: ['timestamptz', 'date', 'time'],
  time: ['timetz', 'interval'],
};

function castColumn(type: ParquetType, target: TargetType): StageColumn {
  if (CASTS[type.kind]?.includes(target.typeName) === true) {
    // A timestamp that is an instant counts by its UTC wall time here, whatever the session's zone.
    const natural = naturalColumn(type.kind === 'timestamp' ? { ...type, utc: false } : type);
    return stage(natural.sqlType, natural.encoding, partOf(type, target) ?? natural.loss);
  }
  if (type.kind === 'list' && (target.kind === 'array' || target.typeName.startsWith('_'))) {
    return stage('text', 'array', cutOf(type, 'text'));
  }
  // Text that lies in the file as bytes is passed on; the rest is spelled as text.
  const loss = type.kind === 'binary' ? UTF8_LOSS : cutOf(type, 'text');
  return stage('text', isText(type) ? 'bytes' : 'text', loss);
}

function partOf(type: ParquetType, target: TargetType): string | null {
  if (type.kind !== 'timestamp') return null;
  if (target.typeName === 'date') return 'the time of day is dropped';
  return target.typeName === 'time' ? 'the date is dropped' : null;
}

function naturalColumn(type: ParquetType): StageColumn {
  const { sqlType, encoding } = naturalType(type);
  return stage(sqlType, encoding, cutOf(type, encoding));
}

function naturalType(type: ParquetType): Pick<StageColumn, 'sqlType' | 'encoding'> {
  switch (type.kind) {
    case 'boolean':
      return { sqlType: 'boolean', encoding: 'bool' };
    case 'integer':
      return integerType(type.signed ? type.bits : type.bits * 2);
    case 'float':
      return type.bits === 64
        ? { sqlType: 'double precision', encoding: 'float8' }
        : { sqlType: 'real', encoding: 'float4' };
    case 'decimal': {
      const modifier = type.precision <= NUMERIC_PRECISION_MAX;
      const sqlType = modifier ? `numeric(${type.precision},${type.scale})` : 'numeric';
      return { sqlType, encoding: 'numeric' };
    }
    case 'date':
      return { sqlType: 'date', encoding: 'date' };
    case 'time':
      return { sqlType: 'time without time zone', encoding: 'time' };
    case 'timestamp': {
      const sqlType = type.utc ? 'timestamp with time zone' : 'timestamp without time zone';
      return { sqlType, encoding: 'timestamp' };
    }
    case 'interval':
      return { sqlType: 'interval', encoding: 'interval' };
    case 'uuid':
      return { sqlType: 'uuid', encoding: 'uuid' };
    case 'string':
    case 'enum':
      return { sqlType: 'text', encoding: 'bytes' };
    case 'json':
    case 'list':
    case 'map':
    case 'struct':
      return { sqlType: 'jsonb', encoding: 'jsonb' };
    case 'bson':
    case 'binary':
      return { sqlType: 'bytea', encoding: 'bytes' };
    case 'null':
      return { sqlType: 'text', encoding: 'null' };
    default:
      return unreachable(type);
  }
}

/** numeric(p,s) takes up to 1000 digits, numeric alone 131072. */
const NUMERIC_PRECISION_MAX = 1000;

/** The smallest integer that holds as many bits; those without a sign need one more. */
function integerType(bits: number): Pick<StageColumn, 'sqlType' | 'encoding'> {
  if (bits <= 16) return { sqlType: 'smallint', encoding: 'int2' };
  if (bits === 32) return { sqlType: 'integer', encoding: 'int4' };
  if (bits === 64) return { sqlType: 'bigint', encoding: 'int8' };
  return { sqlType: 'numeric(20,0)', encoding: 'numeric' };
}

/** PostgreSQL keeps microseconds. */
function cutOf(type: ParquetType, encoding: FieldEncoding): string | null {
  switch (type.kind) {
    case 'time':
    case 'timestamp':
      return type.unit === 'ns' && encoding !== 'null'
        ? 'nanoseconds are rounded to microseconds'
        : null;
    case 'list':
      return cutOf(type.element, encoding);
    case 'map':
      return cutOf(type.key, encoding) ?? cutOf(type.value, encoding);
    case 'struct':
      return (
        type.fields.map((field) => cutOf(field.type, encoding)).find((cut) => cut !== null) ?? null
      );
    default:
      return null;
  }
}

function stage(sqlType: string, encoding: FieldEncoding, loss: string | null): StageColumn {
  return { sqlType, encoding, lossless: loss === null, loss };
}
