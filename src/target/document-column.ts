import type { DocumentSource, FileDescription, ParquetType } from '../source/source-file.ts';
import type { TargetType } from './table.ts';

const TEXT: ParquetType = { kind: 'string' };
const WHOLE_NUMBER: ParquetType = { kind: 'integer', bits: 64, signed: true };
/** A constant that any column of whole numbers reads as it is written. */
const WHOLE = /^-?\d{1,18}$/;
const INSTANT: ParquetType = { kind: 'timestamp', unit: 'us', utc: true, int96: false };

/**
 * What the values of a document's column are on their way to a column of the table, said in the types
 * of Parquet, so that one encoder writes both. A part of a path is a number where the column is one of
 * whole numbers, and text elsewhere, which the database reads; bytes are themselves in a bytea only.
 */
export function documentType(source: DocumentSource, target: TargetType): ParquetType {
  switch (source.kind) {
    case 'content':
      return target.typeName === 'bytea' ? { kind: 'binary' } : TEXT;
    case 'size':
      return WHOLE_NUMBER;
    case 'modified':
    case 'loaded':
      return INSTANT;
    case 'placeholder':
      return isWhole(target) ? WHOLE_NUMBER : TEXT;
    case 'constant':
      if (source.value === null) return { kind: 'null' };
      return isWhole(target) && WHOLE.test(String(source.value)) ? WHOLE_NUMBER : TEXT;
    case 'path':
    case 'name':
      return TEXT;
  }
}

/**
 * The place of a content that a transform hands on to a bytea: text of a bytea is digits. Null for any
 * other column; what the transform itself gives is as it gives it.
 */
export function contentAsDigits(
  description: FileDescription,
  index: number,
  { typeName }: TargetType,
): number | null {
  if (description.kind !== 'transformed' || description.input.kind !== 'document') return null;
  const place = description.columns[index]?.place ?? null;
  if (place === null || typeName !== 'bytea') return null;
  return description.input.columns[place]?.source.kind === 'content' ? place : null;
}

function isWhole({ typeName }: TargetType): boolean {
  return /^int[248]$/.test(typeName);
}

/** Types of staging that may hold a whole document. */
const OF_ANY_SIZE = /^(?:text|bytea|json|jsonb|xml)$/;

/**
 * A content is staged uncompressed: of 20 kB that takes the server 60 µs, and 275 with its own compression.
 * What the table holds already is dropped without any; what is new is compressed once, by the table's rule.
 */
export function isLargeContent(
  description: FileDescription,
  index: number,
  sqlType: string,
): boolean {
  const source = description.kind === 'document' ? description.columns[index]?.source : undefined;
  return source?.kind === 'content' && OF_ANY_SIZE.test(sqlType);
}
