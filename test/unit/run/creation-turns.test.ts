import { expect, test } from 'vitest';
import type { WorkerSession } from '../../../src/pool/worker-pool.ts';
import { createCreationTurns } from '../../../src/run/creation-turns.ts';

/** A session whose staging ends when it is told to; `turns`: how often it got its turn. */
function session() {
  let end: (failure: unknown) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const told = { turns: 0 };
  const staged = new Promise((resolve, reject) => {
    end = (failure) => resolve({ failure });
    fail = reject;
  });
  const own: WorkerSession = {
    call: async (method) => {
      if (method === 'stage') return staged;
      told.turns += 1;
      return undefined;
    },
    close: async () => undefined,
  };
  return {
    own,
    told,
    end: (failure: unknown = null) => end(failure),
    fail: (why: Error) => fail(why),
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a unit gets its turn once each earlier one is staged, in whatever order they end', async () => {
  const turns = createCreationTurns();
  const [a, b, c] = [session(), session(), session()];
  const all = [a, b, c].map(({ own }, unit) => turns.stage(unit, own));
  const told = () => [a, b, c].map((each) => each.told.turns);
  expect(told()).toEqual([1, 0, 0]);
  // One that has nothing to create is through before its turn.
  b.end();
  await settled();
  expect(told()).toEqual([1, 0, 0]);
  a.end();
  await settled();
  expect(told()).toEqual([1, 0, 1]);
  c.end();
  expect(await Promise.all(all)).toEqual([{ failure: null }, { failure: null }, { failure: null }]);
});

test('a unit that is tried again keeps the later ones waiting until it is staged', async () => {
  const turns = createCreationTurns();
  const [first, again, later] = [session(), session(), session()];
  const lost = turns.stage(0, first.own);
  const waiting = turns.stage(1, later.own);
  first.fail(new Error('the line is lost'));
  await expect(lost).rejects.toThrow('the line is lost');
  const bad = session();
  const partly = turns.stage(0, bad.own);
  bad.end({ file: 0 });
  await partly;
  await settled();
  expect(later.told.turns).toBe(0);
  const tried = turns.stage(0, again.own);
  expect(again.told.turns).toBe(1);
  again.end();
  await tried;
  expect(later.told.turns).toBe(1);
  later.end();
  await waiting;
});

test('those that wait for a unit that failed for good fail, and no earlier one does', async () => {
  const turns = createCreationTurns();
  const [first, later] = [session(), session()];
  const going = turns.stage(0, first.own);
  const waiting = turns.stage(2, later.own);
  turns.fail(1);
  await expect(waiting).rejects.toMatchObject({ record: { code: 'ETL_ABORTED' } });
  first.end();
  expect(await going).toEqual({ failure: null });
});

test('one that is staged only after an earlier one failed for good fails as well', async () => {
  const turns = createCreationTurns();
  const [first, later] = [session(), session()];
  turns.fail(1);
  const late = turns.stage(2, later.own);
  await expect(late).rejects.toMatchObject({ record: { code: 'ETL_ABORTED' } });
  expect(later.told.turns).toBe(0);
  const going = turns.stage(0, first.own);
  first.end();
  expect(await going).toEqual({ failure: null });
});
