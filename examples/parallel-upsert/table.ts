import pg from 'pg';

/** What the files left in the table, as far as arithmetic can foretell it. */
export interface TableTotals {
  readonly rows: number;
  readonly revisions: number;
  readonly cents: number;
  /** The same for the same rows in any order. */
  readonly hash: string;
}

/** A session of the example's own, to make tables and to look at them. */
export interface Tables {
  create(table: string, options: { unique?: string; others?: number }): Promise<void>;
  totals(table: string): Promise<TableTotals>;
  end(): Promise<void>;
}

export async function openTables(databaseUrl: string): Promise<Tables> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  return {
    create: async (table, { unique, others = 0 }) => {
      const constraint = unique === undefined ? '' : `, unique (${unique})`;
      await client.query(
        `create table ${table} (id bigint primary key, email text, city text,
                                balance_cents integer, revision integer${constraint})`,
      );
      // Their ids are below those of the files.
      await client.query(
        `insert into ${table} select -n, 'other-' || n || '@example.org', 'Ypern', 0, 0
           from generate_series(1, ${others}) n`,
      );
      await client.query(`analyze ${table}`);
    },
    totals: async (table) => {
      const { rows } = await client.query<Record<string, string>>(
        `select count(*) as rows, sum(revision) as revisions, sum(balance_cents) as cents,
                sum(hash_record_extended(row(id, email, city, balance_cents, revision), 0)) as hash
           from ${table} where id > 0`,
      );
      const [row = {}] = rows;
      return {
        rows: Number(row['rows']),
        revisions: Number(row['revisions']),
        cents: Number(row['cents']),
        hash: String(row['hash']),
      };
    },
    end: () => client.end(),
  };
}
