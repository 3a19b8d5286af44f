import type { ParquetType } from '../../source/source-file.ts';
import type { TargetType } from '../table.ts';

/** The binary form in which a value is written. */
export type FieldEncoding =
  | 'bool'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'float4'
  | 'float8'
  | 'numeric'
  | 'date'
  | 'time'
  | 'timetz'
  /** Also timestamptz: the same bytes. */
  | 'timestamp'
  | 'interval'
  | 'uuid'
  /** The bytes as they are: text, json, enum, bytea. */
  | 'bytes'
  /** As `valueText` spells it; lists, maps and structs as JSON. */
  | 'text'
  /** JSON behind the byte of its version. */
  | 'jsonb'
  /** An array literal as text, which the merge casts. */
  | 'array'
  /** Always NULL. */
  | 'null';

interface Direct {
  readonly encoding: FieldEncoding;
  readonly loss?: string;
}

/** Types whose binary form is their text, and that take any text. */
const TEXTS: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar', 'citext']);

export const UTF8_LOSS = 'bytes are taken as UTF-8 text, since the file does not mark them as text';

/**
 * The encoding with which a value is written straight into a column of the target's type; null
 * where the merge has to cast. Not written directly although they could be: `xml` (its binary form
 * obeys an encoding declaration that text input ignores), `name` (it refuses where text is cut).
 */
export function directEncoding(type: ParquetType, target: TargetType): Direct | null {
  const name = target.typeName;
  if (type.kind === 'null') return { encoding: 'null' };
  if (TEXTS.has(name)) return textEncoding(type);
  switch (type.kind) {
    case 'boolean':
      return name === 'bool' ? { encoding: 'bool' } : null;
    case 'integer':
      return integerEncoding(type, name);
    case 'float':
      return floatEncoding(type, name);
    case 'decimal':
      return decimalEncoding(type, target);
    case 'date':
      return name === 'date' ? { encoding: 'date' } : null;
    case 'time':
      if (name === 'time') return { encoding: 'time' };
      return name === 'timetz' && type.utc ? { encoding: 'timetz' } : null;
    case 'timestamp':
      if (name === 'timestamp') return { encoding: 'timestamp' };
      return name === 'timestamptz' && type.utc ? { encoding: 'timestamp' } : null;
    case 'interval':
      return name === 'interval' ? { encoding: 'interval' } : null;
    case 'uuid':
      return name === 'uuid' ? { encoding: 'uuid' } : null;
    case 'string':
    case 'enum':
      if (name === 'uuid') return { encoding: 'uuid' };
      if (target.kind === 'enum') return { encoding: 'bytes' };
      return jsonEncoding(name, 'bytes');
    case 'json':
      return jsonEncoding(name, 'bytes');
    case 'list':
    case 'map':
    case 'struct':
      return jsonEncoding(name, 'text');
    case 'bson':
    case 'binary':
      return name === 'bytea' ? { encoding: 'bytes' } : null;
  }
}

function textEncoding(type: ParquetType): Direct {
  switch (type.kind) {
    case 'string':
    case 'enum':
    case 'json':
      return { encoding: 'bytes' };
    case 'binary':
      return { encoding: 'bytes', loss: UTF8_LOSS };
    default:
      return { encoding: 'text' };
  }
}

function jsonEncoding(name: string, asJson: 'bytes' | 'text'): Direct | null {
  if (name === 'jsonb') return { encoding: 'jsonb' };
  return name === 'json' ? { encoding: asJson } : null;
}

function integerEncoding(type: ParquetType & { kind: 'integer' }, name: string): Direct | null {
  switch (name) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'numeric':
      return { encoding: name };
    case 'float8':
      return type.bits === 64
        ? { encoding: name, loss: 'integers beyond 2^53 are rounded' }
        : { encoding: name };
    case 'float4':
      // A 64-bit integer would be rounded twice on its way to a real: the cast from text is exact.
      if (type.bits === 64) return null;
      return type.bits === 32
        ? { encoding: name, loss: 'integers beyond 2^24 are rounded' }
        : { encoding: name };
    default:
      return null;
  }
}

/**
 * A real becomes a double precision or a numeric of its shortest digits: 23.4 stays 23.4, as the
 * file's CSV twin has it, where PostgreSQL's own cast would make it 23.399999618530273.
 */
function floatEncoding(type: ParquetType & { kind: 'float' }, name: string): Direct | null {
  switch (name) {
    case 'float4':
      return type.bits === 64
        ? { encoding: name, loss: 'numbers are rounded to single precision' }
        : { encoding: name };
    case 'int2':
    case 'int4':
    case 'int8':
    case 'float8':
    case 'numeric':
      return { encoding: name };
    default:
      return null;
  }
}

/** Into integers only what is integral: a number with a fraction is refused, never rounded. */
function decimalEncoding(
  type: ParquetType & { kind: 'decimal' },
  target: TargetType,
): Direct | null {
  switch (target.typeName) {
    case 'int2':
    case 'int4':
    case 'int8':
      return { encoding: target.typeName };
    case 'float8':
      return type.precision > 15
        ? { encoding: 'float8', loss: 'numbers are rounded to double precision' }
        : { encoding: 'float8' };
    case 'numeric': {
      const scale = /^numeric\(\d+,(-?\d+)\)$/.exec(target.declared)?.[1];
      return scale !== undefined && Number(scale) < type.scale
        ? { encoding: 'numeric', loss: `numbers are rounded to ${scale} decimals` }
        : { encoding: 'numeric' };
    }
    default:
      return null;
  }
}
