import pg from 'pg';
import type { Model } from './model.ts';

const DDL = `
  create table companies (
    id bigint generated always as identity primary key,
    symbol text not null unique
  );
  create table predictions (
    company_id bigint not null references companies,
    period text not null,
    current_ratio double precision,
    debt_to_equity double precision,
    net_margin double precision,
    return_on_assets double precision,
    asset_turnover double precision,
    default_probability double precision not null,
    grade text not null,
    primary key (company_id, period)
  )`;

/** Makes both tables anew. */
export async function createTables(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    await client.query(`drop table if exists predictions, companies; ${DDL}`);
  });
}

export interface Totals {
  readonly rows: number;
  readonly companies: number;
  /** Of the first ratio, in thousandths. */
  readonly currentRatios: number;
  /** Symbols that are not in upper case. */
  readonly misspelt: number;
  /** Rows whose probability is not what the database itself makes of the ratios. */
  readonly misjudged: number;
}

/** What the tables hold. The model is worked out once more, in SQL. */
export async function totalsOf(databaseUrl: string, model: Model): Promise<Totals> {
  const odds = model.features
    .map(
      ({ name, mean, deviation, weight }) =>
        `${weight}::float8 * (coalesce(${name}, ${mean}) - ${mean}::float8) / ${deviation}::float8`,
    )
    .join(' + ');
  const sql = `select count(*) as rows,
            (select count(*) from companies) as companies,
            (select count(*) from companies where symbol <> upper(symbol)) as misspelt,
            round(sum(current_ratio) * 1000) as "currentRatios",
            count(*) filter (where abs(default_probability -
              1 / (1 + exp(-(${model.intercept}::float8 + ${odds})))) > 0.00001) as misjudged
       from predictions`;
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<Readonly<Record<keyof Totals, unknown>>>(sql),
  );
  const of = (name: keyof Totals): number => Number(rows[0]?.[name]);
  return {
    rows: of('rows'),
    companies: of('companies'),
    currentRatios: of('currentRatios'),
    misspelt: of('misspelt'),
    misjudged: of('misjudged'),
  };
}

/** Counts the sessions that others have in the database, until `end`. */
export async function watchSessions(
  databaseUrl: string,
): Promise<{ readonly most: () => number; readonly end: () => Promise<void> }> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  let most = 0;
  let looking = Promise.resolve();
  const look = async (): Promise<void> => {
    const { rows } = await client.query<{ sessions: number }>(
      `select count(*)::int as sessions from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
          and backend_type = 'client backend'`,
    );
    most = Math.max(most, rows[0]?.sessions ?? 0);
  };
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, LOOK_MS);
  return {
    most: () => most,
    end: async () => {
      clearInterval(timer);
      await looking;
      await client.end();
    },
  };
}

const LOOK_MS = 200;

async function withClient<T>(
  databaseUrl: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
