import type { TargetType } from './table.ts';

/**
 * Types for which a text of no characters is never a value. Many writers quote every field, so that
 * `""` in a column of numbers can only mean that there is none; in a column of text it is an empty
 * text. `money` reads it as zero, which nobody means who writes numbers.
 */
const NEVER_EMPTY = new Set([
  ...['bool', 'int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'numeric', 'money', 'uuid'],
  ...['date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval'],
  ...['json', 'jsonb', 'jsonpath', 'inet', 'cidr', 'macaddr', 'macaddr8', 'pg_lsn'],
  ...['point', 'lseg', 'line', 'box', 'path', 'polygon', 'circle'],
  ...['regclass', 'regtype', 'regproc', 'regprocedure', 'regoper', 'regoperator', 'regrole'],
  ...['regnamespace', 'regconfig', 'regdictionary', 'regcollation', 'aclitem'],
  ...['tid', 'xid', 'xid8', 'cid', 'txid_snapshot', 'pg_snapshot'],
]);

/** Arrays to the catalog, but spelled without braces. */
const VECTORS = new Set(['int2vector', 'oidvector']);

/** Whether an empty text, from whatever format, stands for NULL in a column of this type. */
export function emptyIsNull(type: TargetType): boolean {
  // Their texts have at least brackets. A domain over an array is known by its elements.
  const bracketed = ['array', 'range', 'multirange', 'composite'].includes(type.kind);
  if (bracketed || type.element !== null) return !VECTORS.has(type.typeName);
  return NEVER_EMPTY.has(type.typeName);
}
