import type { Plan } from '../../src/plan/plan-types.ts';
import type { TestDatabase } from './database.ts';
import type { RandomLoad } from './random-load.ts';

/**
 * The plan with a window for a direct copy in each unit, as far as the key's values go: whatever
 * the planner thinks of where keys lie changes nothing of the result. Windows do not meet.
 */
export async function withWindows(db: TestDatabase, plan: Plan, random: RandomLoad): Promise<Plan> {
  const [leading] = random.key;
  const [load] = plan.loads;
  const mayBeDirect = random.onConflict !== 'append' && load?.strategy !== 'partitioned';
  if (leading === undefined || load === undefined || !mayBeDirect) return plan;
  const rows = await db.query<{ start: string }>(
    `select start from (select distinct on (key) key, start
                          from (select start, start::${leading.sqlType} as key
                                  from unnest($1::text[]) as s (start)) k
                         order by key) d order by key`,
    [leading.pool],
  );
  const starts = rows.map(({ start }) => start);
  const units = load.units.map((unit) => {
    const from = unit.ordinal === 0 ? null : (starts[unit.ordinal] ?? null);
    if (from === null && unit.ordinal > 0) return unit;
    const before = load.units[unit.ordinal + 1] === undefined ? null : starts[unit.ordinal + 1];
    return { ...unit, direct: { column: leading.name, from, before: before ?? null } };
  });
  return { ...plan, loads: [{ ...load, units }] };
}
