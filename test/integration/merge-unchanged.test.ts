import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type Connection } from '../../src/target/connect.ts';
import type { MergeCounts } from '../../src/target/counts.ts';
import { merge } from '../../src/target/merge.ts';
import type { MergeTarget } from '../../src/target/merge-sql.ts';
import { readTable } from '../../src/target/read-table.ts';
import { createStaging, type StagingTable } from '../../src/target/staging.ts';
import { tableDigest } from '../../tools/oracle.ts';
import { loadInBatches } from '../support/batched-oracle.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

/** Rows enough for the merge to look at a sample. */
const ROWS = 10_000;
const COLUMNS = ['k', 'part', 'n', 'amount', 'doc', 'docb', 'tags', 'f', 'at', 'note'];
/** A row of each type; every seventh has nulls. */
const VALUES = `
  g % 5, case when g % 7 > 0 then g % 10 end, g / 4.0, format('{"a":%s}', g)::json, '{"b":1.0}'::jsonb,
  case when g % 7 > 0 then array['x', g::text] end, case when g % 2 = 0 then 0 else -0.0::float8 end,
  timestamptz '2024-01-01' + g * interval '1 minute', case when g % 3 > 0 then 'note ' || g end`;

type Cells = (string | null)[];

describe('the forms of the merge', () => {
  let db: TestDatabase;
  let connection: Connection;
  let statements: string[];
  let walRecords: number;
  let tables = 0;
  let table = '';
  let key: readonly string[] = [];

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.query(
      `create collation case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    );
    connection = await connect({
      databaseUrl: db.url,
      applicationName: 'test-support',
      connectTimeoutMs: 10_000,
      session: { timezone: 'UTC', jit: 'off' },
    });
  });
  afterAll(async () => {
    await connection.end();
    await db.drop();
  });
  beforeEach(() => {
    table = `u${++tables}`;
    statements = [];
    walRecords = 0;
  });

  it.each([
    ['in order, each key once, into a larger table', 3, inOrder, 'lookup'],
    ['in order, each key once, into a table of their size', 1, inOrder, 'join'],
    ['in order, some keys twice', 3, withTwins, 'winners'],
    ['in no order', 3, shuffled, 'winners'],
  ] as const)(
    'unchanged rows %s: not one is written or locked',
    async (_, times, arrange, form) => {
      await createTable('numeric', times);
      const rows = arrange(await rowsOf(table, ROWS));
      expect(await mergeRows(rows)).toEqual({ inserted: 0, updated: 0, unchanged: ROWS });
      expect(formOf(statements)).toBe(form);
      expect(walRecords).toBe(0);
    },
  );

  it.each(
    (['bigint', 'numeric', 'text collate case_blind', 'composite'] as const).flatMap((keyType) =>
      (
        [
          ['lookup', 3, inOrder],
          ['join', 1, inOrder],
          ['winners', 3, withTwins],
          ['winners', 1, shuffled],
        ] as const
      ).map((arranged) => [keyType, ...arranged] as const),
    ),
  )('key %s, by %s, a table of %d times the rows: as the oracle', async (...given) => {
    const [keyType, form, times, arrange] = given;
    await createTable(keyType, times);
    // A later row that is as the table's supersedes one that is not, and the other way round.
    const rows = arrange((await rowsOf(table, ROWS)).map(changeSome));
    const counts = await mergeRows(rows);
    expect(formOf(statements)).toBe(form);
    await expectAsOracle(rows);
    expect(counts.updated).toBeGreaterThan(100);
    expect(counts.inserted + counts.updated + counts.unchanged).toBe(ROWS);
  });

  it.each([
    ['bigint', 'as they come', inOrder],
    ['composite', 'as they come', inOrder],
    ['bigint', 'one winner a key', withTwins],
    ['bigint', 'one winner a key', shuffled],
  ] as const)('key %s: rows that are all new are inserted %s', async (keyType, how, arrange) => {
    await createTable(keyType, 1);
    const rows = arrange((await rowsOf(table, ROWS)).map(withNewKey));
    expect(await mergeRows(rows)).toEqual({ inserted: ROWS, updated: 0, unchanged: 0 });
    const inserts = statements.filter((sql) => /^(?:savepoint \w+;\s+)?insert into/.test(sql));
    expect(inserts.map((sql) => sql.includes('distinct on'))).toEqual([how !== 'as they come']);
    await expectAsOracle(rows);
  });

  it('rows of which one is not new after all are merged in the end', async () => {
    await createTable('bigint', 1);
    const rows = (await rowsOf(table, ROWS)).map(withNewKey);
    const known = rows.map((row, place) => (place === ROWS - 1 ? ['7', ...row.slice(1)] : row));
    expect(await mergeRows(known)).toEqual({ inserted: ROWS - 1, updated: 1, unchanged: 0 });
    await expectAsOracle(known);
  });

  it('newest: a staged row of a lower version changes nothing', async () => {
    await createTable('bigint', 3);
    const rows = (await rowsOf(table, ROWS)).map((row, place): Cells => {
      const [key = null, part = null, version = null, amount = null, ...rest] = row;
      if (place % 50 > 0 || version === null) return row;
      return [
        key,
        part,
        String(Number(version) + (place % 100 === 0 ? 1 : -1)),
        `${amount ?? ''}0`,
        ...rest,
      ];
    });
    await mergeRows(rows, 'newest');
    expect(formOf(statements)).toBe('lookup');
    await expectAsOracle(rows, 'newest');
  });

  it('two null keys are two rows', async () => {
    await createTable('bigint', 3, 'unique');
    const rows = await rowsOf(table, ROWS);
    const nulls = rows.slice(0, 2).map(([, ...rest]): Cells => [null, ...rest]);
    expect(await mergeRows([...rows, ...nulls])).toMatchObject({ updated: 0 });
    expect(formOf(statements)).toBe('winners');
    expect(walRecords).toBeGreaterThan(0);
  });

  async function createTable(kind: string, times: number, unique = 'primary key'): Promise<void> {
    key = kind === 'composite' ? ['part', 'k'] : ['k'];
    const keyType = kind === 'composite' ? 'bigint' : kind;
    const spelled = keyType.startsWith('text') ? `'Key ' || lpad(g::text, 6, '0')` : 'g';
    for (const name of [table, `${table}_oracle`]) {
      await db.query(
        `create table ${name} (k ${keyType}, part int, n int, amount numeric, doc json, docb jsonb,
           tags text[], f float8, at timestamptz, note text,
           doubled int generated always as (n * 2) stored, ${unique} (${key.join(', ')}))`,
      );
      await db.query(
        `insert into ${name} (${COLUMNS.join(', ')})
         select ${spelled}, ${VALUES} from generate_series(1, ${ROWS * times}) g`,
      );
    }
    await db.query(`vacuum analyze ${table}`);
  }

  async function rowsOf(name: string, count: number): Promise<Cells[]> {
    const texts = COLUMNS.map((column) => `${column}::text`).join(', ');
    const rows = await db.query<{ cells: Cells }>(
      `select array[${texts}] as cells from ${name} order by ${key.join(', ')} limit ${count}`,
    );
    return rows.map(({ cells }) => cells);
  }

  async function mergeRows(
    rows: readonly Cells[],
    onConflict: MergeTarget['onConflict'] = 'update',
  ): Promise<MergeCounts> {
    const found = await readTable(connection, { schema: null, name: table });
    const columns = found?.columns ?? [];
    const staged: StagingTable = {
      sqlName: 'pg_temp.staged',
      kind: 'temp',
      fileColumn: false,
      columns: COLUMNS.map((name, place) => {
        const column = columns.find((one) => one.name === name);
        const sqlType = column?.type.declared ?? 'text';
        const collation = column?.collation ?? null;
        return { name: `c${place}`, sqlType, collation, notNull: false, target: name, cast: null };
      }),
    };
    await createStaging(connection, staged, 0);
    const names = staged.columns.map(({ name }) => name).join(', ');
    const lines = rows.map((row) => `${row.map(field).join(',')}\n`).join('');
    const sql = `copy ${staged.sqlName} (${names}) from stdin (format csv)`;
    await connection.copyIn(sql, chunksOf(lines));
    const schema = found?.schema ?? '';
    const target = { schema, name: table, columns, key, onConflict, versionColumn: 'n' };
    const source = { tables: [staged], file: null, owner: null };
    const options = { countRows: false, stagedRows: rows.length };
    await connection.query('begin');
    const counts = await merge(listened(), target, source, options);
    await connection.query('commit');
    return counts;
  }

  /** The connection, which lets EXPLAIN count the WAL records of the merge, too. */
  function listened(): Connection {
    return {
      ...connection,
      execute: (sql, params) => {
        statements.push(sql);
        return connection.execute(sql, params);
      },
      query: async (sql, params) => {
        statements.push(sql);
        const explained = sql.replace('explain (analyze,', 'explain (analyze, wal,');
        const rows = await connection.query(explained, params);
        const plans = rows[0]?.['QUERY PLAN'] as [{ Plan: { 'WAL Records': number } }] | undefined;
        walRecords += plans?.[0].Plan['WAL Records'] ?? 0;
        return rows;
      },
    };
  }

  async function expectAsOracle(
    rows: readonly Cells[],
    onConflict: MergeTarget['onConflict'] = 'update',
  ): Promise<void> {
    const oracle = {
      table: `${table}_oracle`,
      columns: COLUMNS,
      key,
      onConflict,
      versionColumn: 'n',
    };
    await loadInBatches(db, oracle, [{ columns: COLUMNS, rows }]);
    expect(await db.query(tableDigest(table))).toEqual(await db.query(tableDigest(oracle.table)));
  }
});

function inOrder(rows: Cells[]): Cells[] {
  return rows;
}

/** Each hundredth key comes again at the end, as it is, and before that with another note. */
function withTwins(rows: Cells[]): Cells[] {
  const again = rows.filter((_, place) => place % 100 === 0);
  return [...again.map((row) => [...row.slice(0, -1), 'superseded']), ...rows, ...again];
}

function shuffled(rows: Cells[]): Cells[] {
  return rows.map((_, place) => rows[(place * 3_571) % rows.length] ?? []);
}

function withNewKey(row: Cells): Cells {
  const [key = null, ...rest] = row;
  return [String(Number(key) + 1_000_000), ...rest];
}

/** One row in twenty differs: in a value, in a spelling that is equal, or in being null. */
function changeSome(row: Cells, place: number): Cells {
  if (place % 20 > 0) return row;
  const [key = null, part = null, ...rest] = row;
  const spelled = /^\d+$/.test(key ?? '') ? key : (key ?? '').toUpperCase();
  const changes: ((cells: Cells) => Cells)[] = [
    ([n = null, amount = null, ...more]) => [n, `${amount ?? ''}0`, ...more],
    ([n = null, amount = null, doc = null, ...more]) => [n, amount, `${doc ?? ''} `, ...more],
    (cells) => [null, ...cells.slice(1)],
    (cells) => [...cells.slice(0, -1), null],
    (cells) => cells,
  ];
  return [spelled, part, ...(changes[(place / 20) % changes.length]?.(rest) ?? rest)];
}

function field(value: string | null): string {
  return value === null ? '' : `"${value.replaceAll('"', '""')}"`;
}

async function* chunksOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

function formOf(statements: readonly string[]): string {
  const sql = statements.find((one) => one.includes('insert into')) ?? '';
  if (!sql.includes(' is not true') && !sql.includes('not exists')) return 'general';
  if (sql.includes('distinct on')) return 'winners';
  return sql.includes('not exists') ? 'join' : 'lookup';
}
