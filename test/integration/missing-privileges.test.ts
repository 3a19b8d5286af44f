import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { etl, expectTold, type EtlEnd } from '../support/etl.ts';
import { useScene } from '../support/scene.ts';

/** What is said to a role that lacks one privilege; and that those of the documentation are enough. */
const scene = useScene(
  (table) =>
    `create schema app_${table};
     create table app_${table}.orders (id int primary key, name text, n serial)`,
);

let role = '';
let app = '';

/** SQL of the documentation, for this database, schema and role. */
async function documented(block: number): Promise<string> {
  const text = await readFile(new URL('../../docs/privileges.md', import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql = '']) => sql);
  return (blocks[block] ?? '')
    .replaceAll('database shop', `database ${scene.db.name}`)
    .replaceAll(/\bapp\b/g, app)
    .replaceAll(/\bloader\b/g, role);
}

beforeEach(async () => {
  const { db, table, folder } = scene;
  role = `role_${db.name}_${table}`;
  app = `app_${table}`;
  await db.query(`
    drop schema if exists etl cascade;
    revoke all on database ${db.name} from public;
    revoke all on schema public from public;
    create role ${role} login password 'secret'`);
  await db.query(await documented(0));
  await db.query(`grant usage on sequence ${app}.orders_n_seq to ${role}`);
  await writeFile(join(folder, 'a.csv'), 'id,name\n1,a\n2,b\n');
});

afterEach(() => scene.db.query(`drop owned by ${role} cascade; drop role ${role}`));

async function asRole(words: readonly string[]): Promise<EtlEnd> {
  const url = scene.db.url.replace(/\/\/[^@/]*@/, `//${role}:secret@`);
  return etl([...words, '--database-url', url], { cwd: scene.folder });
}

const run = (...words: string[]) => ['run', 'a.csv', ...words];
const intoTable = (...words: string[]) => run('--table', `${app}.orders`, ...words);

/** Rows that are loaded again are staged, and not copied into the table. */
const loadedBefore = () => asRole(intoTable());
const again = (...words: string[]) => intoTable('--force', ...words);

/** `etl` made by somebody else, as the second block of the documentation has it. */
async function foreignLedger(): Promise<void> {
  await scene.db.query('drop schema etl');
  await scene.run(['a.csv', '--table', `${app}.orders`]);
  await scene.db.query(`delete from ${app}.orders; delete from etl.ledger`);
  await scene.db.query(await documented(1));
}

interface Case {
  readonly before?: () => Promise<unknown>;
  /** Statements that take the privilege. */
  readonly lacks: () => string;
  readonly words?: () => string[];
  readonly says: () => string;
}

const CASES: Readonly<Record<string, Case>> = {
  'connect on the database': {
    lacks: () => `revoke connect on database ${scene.db.name} from ${role}`,
    says: () => `connect to the database ${scene.db.name}`,
  },
  'temporary on the database': {
    before: loadedBefore,
    words: again,
    lacks: () => `revoke temporary on database ${scene.db.name} from ${role}`,
    says: () => 'in which rows are staged before they are merged',
  },
  'create on the database': {
    lacks: () => 'drop schema etl',
    says: () => 'The ledger needs the schema etl',
  },
  'usage on the schema of the table': {
    lacks: () => `revoke usage on schema ${app} from ${role}`,
    says: () => `use the schema ${app}, in which a table of the job`,
  },
  'create on the schema of a table that is created': {
    lacks: () => 'select 1',
    words: () => run('--table', `${app}.fresh`, '--key', 'id'),
    says: () => `create a table in the schema ${app}`,
  },
  'select on the table': {
    before: loadedBefore,
    words: again,
    lacks: () => `revoke select on ${app}.orders from ${role}`,
    says: () => `read and write ${app}.orders, which takes select, insert and update there`,
  },
  'insert on the table': {
    before: loadedBefore,
    words: again,
    lacks: () => `revoke insert on ${app}.orders from ${role}`,
    says: () => `read and write ${app}.orders, which takes select, insert and update there`,
  },
  'update on the table': {
    before: loadedBefore,
    words: again,
    lacks: () => `revoke update on ${app}.orders from ${role}`,
    says: () => `read and write ${app}.orders, which takes select, insert and update there`,
  },
  'insert on a table that is appended to': {
    lacks: () => `revoke all on ${app}.orders from ${role}`,
    words: () => intoTable('--on-conflict', 'append'),
    says: () => `read and write ${app}.orders, which takes select and insert there`,
  },
  'usage on a sequence': {
    lacks: () => `revoke usage on sequence ${app}.orders_n_seq from ${role}`,
    says: () => `use the sequence ${app}.orders_n_seq, which numbers a column`,
  },
  'usage on the schema of the ledger': {
    before: foreignLedger,
    lacks: () => `revoke all on schema etl from ${role}`,
    says: () => 'use the schema etl, where the ledger of what is loaded is kept',
  },
  'create on an empty schema for the ledger': {
    lacks: () => `drop schema etl; create schema etl; grant usage on schema etl to ${role}`,
    says: () => 'create tables in the schema etl, where the ledger of what is loaded is kept',
  },
  'select on the ledger': {
    before: foreignLedger,
    lacks: () => `revoke select on all tables in schema etl from ${role}`,
    says: () => 'read and write etl.',
  },
  'insert on the ledger': {
    before: foreignLedger,
    lacks: () => `revoke insert on etl.ledger from ${role}`,
    says: () => 'read and write etl.ledger, a table of the ledger of what is loaded',
  },
  'update on the runs of the ledger': {
    before: foreignLedger,
    lacks: () => `revoke update on etl.run from ${role}`,
    says: () => 'read and write etl.run, a table of the ledger',
  },
  'create on the schema of the ledger, for partitioned': {
    before: foreignLedger,
    lacks: () => `revoke create on schema etl from ${role}`,
    words: () => intoTable('--strategy', 'partitioned'),
    says: () => 'where the rows of partitioned loads are staged',
  },
  'select on the ledger, for history': {
    before: foreignLedger,
    lacks: () => `revoke select on etl.run from ${role}`,
    words: () => ['history'],
    says: () => 'read and write etl.run',
  },
  'delete on the ledger, for pruning': {
    before: foreignLedger,
    lacks: () => `revoke delete on all tables in schema etl from ${role};
      update etl.run set started_at = started_at - interval '9 days'`,
    words: () => ['history', '--prune', '1d'],
    says: () => 'read and write etl.',
  },
  'a parameter of superusers': {
    lacks: () => 'select 1',
    words: () => intoTable('--session', 'log_min_duration_statement=1'),
    says: () => "The server refuses the session's setting log_min_duration_statement",
  },
};

test.each(Object.entries(CASES))(
  'a role without %s is told so, and the grant that it is told helps',
  async (_, { before, lacks, words = intoTable, says }) => {
    await before?.();
    await scene.db.query(lacks());
    const refused = await asRole(words());
    expect(refused.code, refused.stdout).toBe(2);
    const said = (refused.stdout + refused.stderr).replaceAll(/\s+/g, ' ');
    expect(said).toContain('[ETL_PRIVILEGE]');
    expect(said).toContain(says());
    const grant = /((?:grant|create schema) [^;]+);/.exec(said)?.[1] ?? '';
    expect(grant).toContain(role);
    await scene.db.query(grant);
    const end = await asRole(words());
    expect(end.code, end.stderr).toBe(0);
  },
);

test('words of a server in another language are told as they are, with what to do', async () => {
  const { db } = scene;
  await db.query(`
    create function ${app}.refuse() returns trigger language plpgsql as
      $$ begin raise insufficient_privilege using message = 'verboten'; end $$;
    create trigger refuse before insert on ${app}.orders
      for each row execute function ${app}.refuse()`);
  const end = await asRole(intoTable());
  expectTold(end, 'ETL_PRIVILEGE', 2, { sqlState: '42501' });
  expect(end.error?.sentence).toBe('verboten.');
  expect(end.error?.remedy).toContain('etl doctor');
});

test.each(['sequential', 'full-parallel', 'partitioned'])(
  'the grants of the documentation are enough for %s loads, bad rows, and what tells of them',
  async (strategy) => {
    await writeFile(join(scene.folder, 'b.csv'), 'id,name\n2,c\n3,d\nx,e\n');
    const words = ['*.csv', '--table', `${app}.orders`, '--on-error', 'quarantine'];
    const end = await asRole(['run', ...words, '--strategy', strategy]);
    expect([end.code, end.report?.error]).toEqual([3, null]);
    expect(await scene.db.query(`select id, name from ${app}.orders order by id`)).toEqual([
      { id: 1, name: 'a' },
      { id: 2, name: 'c' },
      { id: 3, name: 'd' },
    ]);
    for (const more of [
      ['verify', ...words],
      ['history', '--table', `${app}.orders`],
    ]) {
      expect((await asRole(more)).code).toBe(0);
    }
  },
);
