import pg from 'pg';

/** What is in a table of releases, as far as arithmetic can foretell it. */
export interface TableTotals {
  readonly rows: number;
  readonly amounts: number;
  /** The same for the same rows in any order. */
  readonly hash: string;
}

export async function totalsOf(databaseUrl: string, table: string): Promise<TableTotals> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, string>>(
      `select count(*) as rows, sum(tender_amount) as amounts,
              sum(hashtextextended(r::text, 0)) as hash
         from ${table} r`,
    );
    const [row = {}] = rows;
    return {
      rows: Number(row['rows']),
      amounts: Number(row['amounts']),
      hash: String(row['hash']),
    };
  } finally {
    await client.end();
  }
}
