import { quoted, readable } from '../target/names.ts';

/**
 * Words that PostgreSQL does not take as the name of a column or table unless they are quoted (its
 * manual, appendix C, "reserved", versions 14 to 18). The DDL that people read quotes these only.
 */
const RESERVED = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check
  collate collation column concurrently constraint create cross current_catalog current_date
  current_role current_schema current_time current_timestamp current_user default deferrable desc
  distinct do else end except false fetch for foreign freeze from full grant group having ilike in
  initially inner intersect into is isnull join lateral leading left like limit localtime
  localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
  references returning right select session_user similar some symmetric system_user table
  tablesample then to trailing true union unique user using variadic verbose when where window
  with`.split(/\s+/),
);

/** A name as a person would write it in SQL. */
export function identifier(name: string): string {
  return RESERVED.has(name) ? quoted(name) : readable(name);
}
