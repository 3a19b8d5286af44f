/**
 * The oracle: what a sequential load leaves, in plain SQL, one statement a row. It shares nothing
 * with the engine but the words of the promise, so the two can disagree.
 */
export interface OracleTable {
  /** As SQL spells it. */
  readonly table: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly onConflict: 'update' | 'ignore' | 'newest' | 'append';
  readonly versionColumn: string | null;
  /** Columns that an update leaves alone. */
  readonly insertOnly?: readonly string[];
  /** Columns of which one must differ for an update. */
  readonly compare?: readonly string[];
}

/** A row as text, null for NULL, in the order of the file's columns. */
export type OracleRow = readonly (string | null)[];

export interface OracleFile {
  /** Columns that the file brings. */
  readonly columns: readonly string[];
  readonly rows: readonly OracleRow[];
}

export type Execute = (sql: string, params: readonly unknown[]) => Promise<unknown>;

/** Upserts the files one after another, each row by row. */
export async function loadSequentially(
  execute: Execute,
  target: OracleTable,
  files: readonly OracleFile[],
): Promise<void> {
  for (const file of files) {
    const sql = rowStatement(target, file.columns);
    for (const row of file.rows) await execute(sql, row);
  }
}

function rowStatement(target: OracleTable, columns: readonly string[]): string {
  const id = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  const names = columns.map(id).join(', ');
  const values = columns.map((_, place) => `$${place + 1}`).join(', ');
  const insert = `insert into ${target.table} as existing (${names}) overriding system value values (${values})`;
  if (target.onConflict === 'append') return insert;
  const conflict = `on conflict (${target.key.map(id).join(', ')})`;
  if (target.onConflict === 'ignore') return `${insert} ${conflict} do nothing`;
  const kept = target.insertOnly ?? [];
  const set = columns
    .filter((name) => !kept.includes(name))
    .map((name) => `${id(name)} = excluded.${id(name)}`)
    .join(', ');
  const update = `${insert} ${conflict} do update set ${set}`;
  if (target.compare !== undefined) {
    const compared = target.compare.filter((name) => columns.includes(name)).map(id);
    const row = (of: string): string =>
      `row(${compared.map((name) => `${of}.${name}`).join(', ')})`;
    // The bytes, as everywhere in the engine: 1.0 is not 1.00, and json has no other comparison.
    return `${update} where ${row('existing')}::record *<> ${row('excluded')}::record`;
  }
  if (target.onConflict === 'update') return update;
  const version = id(target.versionColumn ?? '');
  return `${update} where existing.${version} is null or excluded.${version} >= existing.${version}`;
}

/** A query whose one value is equal for equal tables: every row as text, duplicates included. */
export function tableDigest(table: string): string {
  return `select count(*) || ' rows, md5 ' ||
                 coalesce(md5(string_agg(line, E'\\n' order by line collate "C")), 'none') as digest
            from (select t::text as line from ${table} t) lines`;
}
