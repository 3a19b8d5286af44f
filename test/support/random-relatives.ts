import fc from 'fast-check';
import type { TestDatabase } from './database.ts';
import type { RandomLoad } from './random-load.ts';

/** What belongs to a table and changes how the engine must look at it, and nothing of the result. */
export interface Relatives {
  /** A table that inherits from it, and has the same rows. */
  readonly heir: boolean;
  /** It consists of two of them. */
  readonly partitions: boolean;
  /** A trigger for each row, which does nothing. */
  readonly trigger: boolean;
}

const NONE: Relatives = { heir: false, partitions: false, trigger: false };

export const randomRelatives: fc.Arbitrary<Relatives> = fc.constantFrom(
  ...[NONE, NONE, NONE, { ...NONE, heir: true }, { ...NONE, trigger: true }],
  ...[false, true].map((trigger) => ({ ...NONE, partitions: true, trigger })),
);

/** Of keys that a partition may be chosen by. */
const DIVIDED = /^(?:bigint|integer|numeric|uuid|date|bytea|boolean)$/;

/** As far as the load can have them: with a trigger its files are merged in order. */
export function fittingRelatives(
  { key, strategy }: Pick<RandomLoad, 'key' | 'strategy'>,
  { heir, partitions, trigger }: Relatives,
): Relatives {
  return {
    heir,
    partitions: partitions && DIVIDED.test(key[0]?.sqlType ?? ''),
    trigger: trigger && (strategy === 'auto' || strategy === 'sequential'),
  };
}

/** Gives them to a table that holds what it shall hold before the load; an heir to its twin, too. */
export async function giveRelatives(
  db: TestDatabase,
  table: string,
  { key }: Pick<RandomLoad, 'key'>,
  { heir, partitions, trigger }: Relatives,
): Promise<void> {
  if (heir) {
    for (const name of [table, `${table}_oracle`]) {
      await db.query(
        `create table ${name}_heir () inherits (${name});
         insert into ${name}_heir select * from only ${name}`,
      );
    }
  }
  if (partitions) {
    const part = (place: number): string =>
      `create table ${table}_part${place} partition of ${table}
         for values with (modulus 2, remainder ${place})`;
    await db.query(
      `alter table ${table} rename to ${table}_whole;
       create table ${table} (like ${table}_whole) partition by hash (${key[0]?.name ?? ''});
       ${part(0)}; ${part(1)};
       insert into ${table} select * from ${table}_whole`,
    );
    const [primary] = await db.query<{ sql: string }>(
      `select pg_get_constraintdef(oid) as sql from pg_constraint
        where conrelid = '${table}_whole'::regclass and contype = 'p'`,
    );
    await db.query(
      `${primary === undefined ? '' : `alter table ${table} add ${primary.sql};`}
       drop table ${table}_whole`,
    );
  }
  if (trigger) {
    await db.query(
      `create or replace function pass() returns trigger language plpgsql as 'begin return new; end';
       create trigger passes before insert or update on ${table}
         for each row execute function pass()`,
    );
  }
}
