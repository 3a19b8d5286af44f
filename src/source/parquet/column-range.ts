import { isUtf8 } from 'node:buffer';
import type { ColumnMetaData } from 'hyparquet';
import type { KeyRange } from '../../conflict/key-range.ts';
import type { ParquetDescription, ParquetType, SourceFile } from '../source-file.ts';
import { openParquet } from './open-parquet.ts';
import { nodesOf } from './read-batches.ts';
import { toMicroseconds } from './time-text.ts';

/**
 * The range of a column over the whole file, from the statistics of its row groups: of integers,
 * of dates and timestamps (microseconds since 1970, as an `integer` range), and of text. Null
 * where a row group has none. Statistics may be cut or wrong, so this is a hint, never a proof.
 *
 * @throws EtlError as openParquet, and ETL_COLUMN_MISSING
 */
export async function columnRange(
  file: SourceFile,
  _description: ParquetDescription,
  column: string,
): Promise<KeyRange | null> {
  const parquet = await openParquet(file);
  try {
    const [node] = nodesOf(parquet, [column]);
    if (node?.kind !== 'leaf' || node.repetition !== 0) return null;
    const kind = rangeKind(node.type);
    if (kind === null) return null;
    let range: Range | null = null;
    for (const group of parquet.footer.row_groups) {
      const meta = group.columns[node.chunkIndex]?.meta_data;
      if (group.num_rows === 0n) continue;
      if (meta?.statistics?.null_count === group.num_rows) continue;
      const next = meta === undefined ? null : rangeOfChunk(node.type, meta);
      if (next === null) return null;
      range = range === null ? next : united(range, next);
    }
    return range === null ? null : { kind, min: textOf(range.min), max: textOf(range.max) };
  } finally {
    await parquet.close();
  }
}

type Statistic = NonNullable<ColumnMetaData['statistics']>['min_value'];
type End = bigint | Buffer;
interface Range {
  readonly min: End;
  readonly max: End;
}

function rangeKind(type: ParquetType): KeyRange['kind'] | null {
  switch (type.kind) {
    case 'integer':
    case 'date':
      return 'integer';
    case 'timestamp':
      return type.int96 ? null : 'integer';
    case 'string':
    case 'enum':
      return 'bytes';
    default:
      return null;
  }
}

/** The older `min` and `max` compared bytes, and integers without a sign, as if they had one. */
function rangeOfChunk(type: ParquetType, { statistics }: ColumnMetaData): Range | null {
  const signed = type.kind === 'date' || type.kind === 'timestamp' || isSigned(type);
  const min = endOf(type, statistics?.min_value ?? (signed ? statistics?.min : undefined));
  const max = endOf(type, statistics?.max_value ?? (signed ? statistics?.max : undefined));
  return min === null || max === null ? null : { min, max };
}

function isSigned(type: ParquetType): boolean {
  return type.kind === 'integer' && type.signed;
}

function endOf(type: ParquetType, value: Statistic): End | null {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    // A maximum that was cut has its last byte raised, which may leave no text.
    return (type.kind === 'string' || type.kind === 'enum') && isUtf8(bytes) ? bytes : null;
  }
  if (typeof value !== 'number' && typeof value !== 'bigint') return null;
  if (typeof value === 'number' && !Number.isInteger(value)) return null;
  if (type.kind === 'date') return BigInt(value) * 86_400_000_000n;
  if (type.kind === 'timestamp') return toMicroseconds(BigInt(value), type.unit);
  if (type.kind !== 'integer') return null;
  return type.signed ? BigInt(value) : BigInt.asUintN(type.bits, BigInt(value));
}

function united(a: Range, b: Range): Range {
  return {
    min: compare(a.min, b.min) <= 0 ? a.min : b.min,
    max: compare(a.max, b.max) >= 0 ? a.max : b.max,
  };
}

function compare(a: End, b: End): number {
  if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) return Buffer.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function textOf(end: End): string {
  return typeof end === 'bigint' ? String(end) : end.toString('utf8');
}
