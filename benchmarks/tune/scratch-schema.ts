import { EtlError } from '../../src/errors.ts';
import type { LoadPlan } from '../../src/plan/plan-types.ts';
import type { Connection } from '../../src/target/connect.ts';
import { literal, quoted } from '../../src/target/names.ts';
import { createScratchSchema } from '../scratch-schema.ts';

/** Rows of the user's table that the scratch table begins with. */
const ROWS_BEFORE_MAX = 100_000;
const NAME = /^etl_tune_[0-9a-f]{12}$/;

/** A place of its own in the user's database; nothing outside of it is written. */
export interface Scratch {
  readonly schema: string;
  readonly ledgerSchema: string;
}

/** A scratch table, by the load that it serves. */
export interface ScratchTable {
  /** Quoted, with its schema. */
  readonly sqlName: string;
  /** Rows that it begins with; null where the load creates it. */
  readonly rowsBefore: string | null;
  /** Columns that can be written. */
  readonly columns: readonly string[];
}

export function scratchNamed(token: string): Scratch {
  return { schema: `etl_tune_${token}`, ledgerSchema: `etl_tune_${token}_ledger` };
}

/** Holds a lock for as long as the connection lives, which tells the schema from a left-over. */
export async function createScratch(connection: Connection, { schema }: Scratch): Promise<void> {
  await connection.query('set client_min_messages = warning');
  await dropLeftOvers(connection);
  await connection.query(`select pg_advisory_lock(${lockOf(schema)})`);
  await createScratchSchema(connection, schema);
}

export async function dropScratch(connection: Connection, scratch: Scratch): Promise<void> {
  for (const schema of [scratch.ledgerSchema, scratch.schema]) {
    await connection.query(`drop schema if exists ${quoted(schema)} cascade`);
  }
}

/**
 * A table as the load's target is, with its indexes, constraints and some of its rows, but without
 * triggers and foreign keys, which would reach beyond it. Sequences are replaced by its own: a
 * default of the copy would count on with the user's.
 */
export async function createTable(
  connection: Connection,
  { schema }: Scratch,
  load: LoadPlan,
  place: number,
): Promise<ScratchTable> {
  const sqlName = `${quoted(schema)}.${quoted(`t${place}`)}`;
  const columns = load.table.columns
    .filter(({ generated }) => generated !== 'stored' && generated !== 'virtual')
    .map(({ name }) => quoted(name));
  if (load.table.oid === null) return { sqlName, rowsBefore: null, columns };
  const source = `${quoted(load.table.schema)}.${quoted(load.table.name)}`;
  await connection.query(`create table ${sqlName} (like ${source} including all)`);
  await replaceSequences(connection, sqlName, `${quoted(schema)}.`, place);
  const rowsBefore = `${quoted(schema)}.${quoted(`before${place}`)}`;
  const some = `select ${columns.join(', ')} from ${source} limit ${ROWS_BEFORE_MAX}`;
  await connection.query(`create unlogged table ${rowsBefore} as ${some}`);
  return { sqlName, rowsBefore, columns };
}

/** As before the load: the rows that it began with, or no table. The ledger begins anew, too. */
export async function resetTables(
  connection: Connection,
  { ledgerSchema }: Scratch,
  tables: readonly ScratchTable[],
): Promise<void> {
  await connection.query(`drop schema if exists ${quoted(ledgerSchema)} cascade`);
  for (const { sqlName, rowsBefore, columns } of tables) {
    if (rowsBefore === null) {
      await connection.query(`drop table if exists ${sqlName}`);
      continue;
    }
    const list = columns.join(', ');
    await connection.query(`truncate ${sqlName}`);
    await connection.query(
      `insert into ${sqlName} (${list}) overriding system value select ${list} from ${rowsBefore}`,
    );
    await connection.query(`vacuum (analyze) ${sqlName}`);
  }
}

async function replaceSequences(
  connection: Connection,
  table: string,
  prefix: string,
  place: number,
): Promise<void> {
  const defaults = await connection.query(
    `select a.attname, bool_and(pg_get_expr(d.adbin, d.adrelid) ~ '^nextval\\(''[^'']*''::regclass\\)$') as plain
       from pg_attrdef d
       join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
       join pg_depend p on p.classid = 'pg_attrdef'::regclass and p.objid = d.oid
        and p.refclassid = 'pg_class'::regclass
       join pg_class s on s.oid = p.refobjid and s.relkind = 'S'
      where d.adrelid = ${literal(table)}::regclass
      group by a.attname
      order by a.attname`,
  );
  for (const [index, row] of defaults.entries()) {
    const column = quoted(String(row['attname']));
    const sequence = `${prefix}${quoted(`s${place}_${index}`)}`;
    if (row['plain'] === true) await connection.query(`create sequence ${sequence}`);
    const value = row['plain'] === true ? `nextval(${literal(sequence)}::regclass)` : 'null';
    await connection.query(`alter table ${table} alter column ${column} set default ${value}`);
  }
}

/** Schemas of runs that were killed; one whose lock is held belongs to somebody at work. */
async function dropLeftOvers(connection: Connection): Promise<void> {
  const schemas = await connection.query(
    `select nspname from pg_namespace where nspname like 'etl\\_tune\\_%' order by nspname`,
  );
  for (const name of schemas.map((row) => String(row['nspname']))) {
    if (!NAME.test(name)) continue;
    const lock = lockOf(name);
    const [row] = await connection.query(`select pg_try_advisory_lock(${lock}) as free`);
    if (row?.['free'] !== true) continue;
    const scratch = scratchNamed(name.slice('etl_tune_'.length));
    // Another role's is that role's to drop.
    await dropScratch(connection, scratch).catch((error: unknown) => {
      if (!(error instanceof EtlError)) throw error;
    });
    await connection.query(`select pg_advisory_unlock(${lock})`);
  }
}

/** Two numbers, as the other locks of the engine are not. */
function lockOf(schema: string): string {
  return `hashtext('etl tune'), hashtext(${literal(schema)})`;
}
