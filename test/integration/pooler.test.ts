import { expect, test } from 'vitest';
import { connect } from '../../src/target/connect.ts';
import { expectTold } from '../support/etl.ts';
import { useScene } from '../support/scene.ts';
import { openTransactionPooler } from '../support/transaction-pooler.ts';

/** A pooler that gives each transaction another backend is refused before anything is written. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

test('it is told as what it is, and nothing is made in the database', async () => {
  await scene.write({ 'a.csv': 'id,name\n1,a\n2,b\n' });
  const pooler = await openTransactionPooler(scene.db.url);
  try {
    const end = await scene.run(['a.csv'], { url: pooler.url });
    expectTold(end, 'ETL_CONNECTION', 2);
    expect(end.stderr).toContain('pool_mode = session');
    expect(await scene.db.query(`select * from ${scene.table}`)).toEqual([]);
    expect(await scene.db.query(`select to_regnamespace('etl') as ledger`)).toEqual([
      { ledger: null },
    ]);
  } finally {
    await pooler.close();
  }
  const direct = await scene.run(['a.csv']);
  expect([direct.code, direct.stderr]).toEqual([0, '']);
});

test('a connection knows whether something stands in between', async () => {
  const options = { applicationName: 'relayed', connectTimeoutMs: 5_000, session: {} };
  const pooler = await openTransactionPooler(scene.db.url);
  try {
    for (const [databaseUrl, relayed] of [
      [scene.db.url, false],
      [pooler.url, true],
    ] as const) {
      const connection = await connect({ ...options, databaseUrl });
      expect(connection.relayed).toBe(relayed);
      await connection.end();
    }
  } finally {
    await pooler.close();
  }
});
