import type { ColumnChunk, FileMetaData, SchemaElement } from 'hyparquet';
import { PageFault } from './parquet-fault.ts';

/**
 * Checks that a footer has the fields and types that the format asks for: hyparquet passes on
 * whatever Thrift says, so that damage would surface far from here. @throws PageFault
 */
export function checkFooter(footer: FileMetaData): void {
  const { schema, num_rows: rows, row_groups: groups } = footer;
  demand(isCount(rows), 'the number of rows');
  demand(Array.isArray(schema) && schema.every(isElement), 'the schema');
  demand(footer.created_by === undefined || isText(footer.created_by), 'the name of the writer');
  demand(Array.isArray(groups), 'the row groups');
  for (const group of groups) {
    demand(isCount(group.num_rows), 'the number of rows of a row group');
    demand(Array.isArray(group.columns) && group.columns.every(isChunk), 'a column chunk');
  }
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new PageFault(`its footer is damaged (${what})`);
}

function isElement(element: SchemaElement): boolean {
  const { name, type_length: length, num_children: children, precision, scale } = element;
  return isText(name) && [length, children, precision, scale].every(isOptionalNumber);
}

function isChunk({ meta_data: meta, file_path: path }: ColumnChunk): boolean {
  if (path !== undefined && !isText(path)) return false;
  // An encrypted column has no metadata that can be read.
  if (meta === undefined) return true;
  const counts: unknown[] = [
    meta.num_values,
    meta.total_compressed_size,
    meta.total_uncompressed_size,
    meta.data_page_offset,
    meta.dictionary_page_offset ?? 0n,
  ];
  return counts.every(isCount);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isOptionalNumber(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && Number.isInteger(value));
}

/** Beyond 2^53 no file goes. */
function isCount(value: unknown): boolean {
  return typeof value === 'bigint' && value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER);
}
