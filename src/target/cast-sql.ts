import type { TargetType } from './table.ts';

/**
 * The length of a type to which a cast would cut a value without a word, where an INSERT refuses it:
 * that of a `varchar`, and of a domain over a type with a length, whose cast includes its modifier.
 * Plain JSON.
 */
export interface TypeLength {
  /** pg_type.typname, which is the name of the function that brings a value to the length, too. */
  readonly of: string;
  readonly modifier: number;
}

const WITH_LENGTH: ReadonlySet<string> = new Set(['varchar', 'bpchar', 'bit', 'varbit']);
/** The modifier of a varchar counts four bytes more than it has characters. */
const HEADER_BYTES = 4;

/** Nothing where a cast to the type cuts nothing: that to `character` has no length. */
export function lengthOf({ kind, typeName, declared, baseModifier }: TargetType): {
  readonly length?: TypeLength;
} {
  if (kind === 'domain') {
    if (baseModifier === undefined || !WITH_LENGTH.has(typeName)) return {};
    return { length: { of: typeName, modifier: baseModifier } };
  }
  const characters = /^character varying\((\d+)\)$/.exec(declared)?.[1];
  if (kind !== 'base' || typeName !== 'varchar' || characters === undefined) return {};
  return { length: { of: typeName, modifier: Number(characters) + HEADER_BYTES } };
}

/**
 * A value as the type, brought to its length as an INSERT would do it: blanks beyond it are no part of
 * the value, so that two keys are one; anything else there is an error.
 */
export function castSql(value: string, cast: string, length: TypeLength | undefined): string {
  if (length === undefined) return `${value}::${cast}`;
  const base = `pg_catalog."${length.of}"`;
  return `${base}(${value}::${base}, ${length.modifier}, false)::${cast}`;
}
