import type { KeySpelling } from '../../source/csv/hash-keys.ts';
import type { TargetColumn } from '../../target/table.ts';

/**
 * How a value of a key column is spelled so that no other bytes are an equal key. Text is, where the
 * collation compares bytes; not varchar(3), which takes `abc` and a blank for `abc`.
 */
export function keySpelling(column: Pick<TargetColumn, 'type'> | undefined): KeySpelling {
  if (column?.type.kind !== 'base' || !column.type.bytewise) return 'opaque';
  const { typeName, declared } = column.type;
  if (['int2', 'int4', 'int8'].includes(typeName)) return 'integer';
  if (typeName === 'uuid' || typeName === 'date') return typeName;
  const unlimited = typeName === 'varchar' && !declared.includes('(');
  return typeName === 'text' || unlimited ? 'text' : 'opaque';
}
