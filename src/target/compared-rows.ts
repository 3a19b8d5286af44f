import { LIMITS } from '../limits.ts';
import { ownRowsSql } from './merge-sql.ts';
import { quoted } from './names.ts';
import type { Reference, ReferenceColumn } from './reference.ts';

/** A difference, its values as text, cut where they are long. Plain JSON. */
export interface Difference {
  /**
   * missing: the files have it, the table not. extra: the other way round. changed: the table has
   * the key with other values.
   */
  readonly kind: 'missing' | 'extra' | 'changed';
  /** The key; with `append` the whole row. By column. */
  readonly key: Readonly<Record<string, string | null>>;
  /** What differs; of a missing or extra key nothing. */
  readonly columns: readonly {
    readonly column: string;
    readonly reference: string | null;
    readonly table: string | null;
  }[];
  /** With `append`: how often the row is there; else null. */
  readonly copies: { readonly reference: number; readonly table: number } | null;
}

/** The table's columns under the reference's names. */
export function targetRows(
  table: { readonly schema: string; readonly name: string; readonly inherited?: true },
  { columns }: Reference,
): string {
  const fields = columns.map(({ name, target }) => `${quoted(target.name)} as ${name}`);
  return `select ${fields.join(', ')} from ${ownRowsSql(table)}`;
}

/**
 * The value as something whose equality is that of what people see: `1.0` is not `1.00`, though the
 * numbers are equal, and json has no equality at all.
 */
export function comparable({ name, target }: ReferenceColumn, row: string): string {
  const value = `${row}.${name}`;
  const { bytewise, hashable } = target.type;
  return bytewise && hashable ? value : `(${value}::text collate "C")`;
}

/** 64 bits of a row; two rows have the same by accident once in 10^19. */
export function rowHash(columns: readonly ReferenceColumn[], row: string): string {
  const values = columns.map((column) => comparable(column, row));
  return `hash_record_extended(row(${values.join(', ')}), 0)`;
}

/** For people. */
export function shownValue({ name }: ReferenceColumn, row: string): string {
  return `(left(${row}.${name}::text, ${LIMITS.verifyValueCharactersMax}) collate "C")`;
}
