import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { types } from 'node:util';
import { expect, test } from 'vitest';
import { openUpsert, upsert } from '../../src/index.ts';
import { useScene } from '../support/scene.ts';

/** A program that upserts page after page, as long as it lives. */
const scene = useScene((table) => `create table ${table} (id int primary key, name text)`);

const target = () => ({ databaseUrl: scene.db.url, table: scene.table, key: ['id'] });

test('one signal for all calls, many of them at once, keeps nothing of them', async () => {
  const { signal } = new AbortController();
  const warnings: string[] = [];
  const onWarning = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', onWarning);
  const page = async function* (of: number): AsyncGenerator<object> {
    yield { id: of };
    await sleep(20);
    yield { id: of + 100 };
  };
  const loader = await openUpsert(target());
  try {
    await Promise.all(
      Array.from({ length: 20 }, (_, call) => loader.upsert(page(call), { signal })),
    );
    await loader.upsert([{ id: 1, name: 'again' }], { signal });
  } finally {
    await loader.close();
    process.off('warning', onWarning);
  }
  expect(warnings).toEqual([]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  const left = Object.getOwnPropertySymbols(signal).map(
    (key) => (signal as unknown as Record<symbol, unknown>)[key],
  );
  expect(left.filter((value) => types.isSet(value))).toEqual([]);
  const rows = await scene.db.query(`select count(*)::int as rows from ${scene.table}`);
  expect(rows).toEqual([{ rows: 40 }]);
});

test('rows without a field are told as rows', async () => {
  await expect(upsert(target(), [{}, {}])).rejects.toMatchObject({
    code: 'ETL_FILE_EMPTY',
    record: { sentence: 'No row has a field, so that there is no column to load.', facts: {} },
  });
});

test('a value that is boxed is what is in the box', async () => {
  await upsert(target(), [{ id: Object(7n) as object, name: new String('x') }]);
  expect(await scene.db.query(`select * from ${scene.table}`)).toEqual([{ id: 7, name: 'x' }]);
});
