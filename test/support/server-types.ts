import type { TestDatabase } from './database.ts';
import { arraySamples, LATER_SAMPLES, TYPE_SAMPLES, USER_TYPES } from './type-samples.ts';

/** A type of the running server, with texts of its values. */
export interface TypeKind {
  /** pg_type.typname. */
  readonly name: string;
  readonly sqlType: string;
  readonly texts: readonly string[];
}

export interface ServerTypes {
  readonly base: readonly TypeKind[];
  /** One for each of base. */
  readonly arrays: readonly TypeKind[];
}

/** Makes the user's types, and reads which of the sampled ones this server has. */
export async function createServerTypes(db: TestDatabase): Promise<ServerTypes> {
  for (const { ddl } of USER_TYPES) await db.query(ddl);
  const [server] = await db.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  const rows = await db.query<{ name: string; sql_type: string; delimiter: string }>(
    `select typname as name, typdelim as delimiter,
            format('%I.%I', typnamespace::regnamespace::text, typname) as sql_type
       from pg_type where typname = any ($1)`,
    [[...Object.keys(TYPE_SAMPLES), ...USER_TYPES.map(({ name }) => name)]],
  );
  const hasXml = await db.query(`select xml '<a/>'`).then(
    () => true,
    () => false,
  );
  const textsOf = (name: string): readonly string[] => [
    ...(TYPE_SAMPLES[name] ?? USER_TYPES.find((type) => type.name === name)?.texts ?? []),
    ...LATER_SAMPLES.filter(
      ({ type, since }) => type === name && since <= (server?.version ?? 0),
    ).flatMap(({ texts }) => texts),
  ];
  // Without libxml the server has the type, and refuses its values.
  const known = rows.filter(({ name }) => name !== 'xml' || hasXml);
  return {
    base: known.map(({ name, sql_type }) => ({ name, sqlType: sql_type, texts: textsOf(name) })),
    arrays: known.map(({ name, sql_type, delimiter }) => ({
      name: `_${name}`,
      sqlType: `${sql_type}[]`,
      texts: arraySamples(textsOf(name), delimiter),
    })),
  };
}
