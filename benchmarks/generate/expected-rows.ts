import { columnsOf } from './columns.ts';
import { mixSpreadSql, mixSumSql, WORD } from './mix.ts';
import type { Shape } from './shape.ts';

/**
 * The rows of the table before and after, in SQL: the same arithmetic as that of the files, but
 * spelled anew, and run by the server. So neither the engine nor the files take part in the answer.
 */

/** Rows that the table holds before the load, in the order of `columnsOf`. */
export function rowsBefore(shape: Shape): string {
  const { known, unchanged } = shape.scenario;
  const others = otherKeys(shape);
  if (known === 0) return rowsOf(shape, others);
  const version = `case when k % 100 < ${Math.round(unchanged * 100)} then v else 0 end`;
  const kept = `k % 100 < ${Math.round(known * 100)}`;
  const knownKeys = `select k, ${version} as v from (${writtenKeys(shape)}) written where ${kept}`;
  return rowsOf(shape, `${knownKeys} union all ${others}`);
}

/** Rows that the table must hold after the load. */
export function rowsAfter(shape: Shape): string {
  return rowsOf(shape, `${writtenKeys(shape)} union all ${otherKeys(shape)}`);
}

/** One text that is the same for the same rows in any order. */
export function digestOf(rows: string, columns: readonly string[]): string {
  return `select count(*) || ' rows, sum ' ||
                 coalesce(sum(hash_record_extended(row(${columns.join(', ')}), 0)), 0) as digest
            from (${rows}) as rows`;
}

/** The keys that the files write, with the version that wins: of the last file that holds each. */
function writtenKeys(shape: Shape): string {
  const { files, rowsPerFile, shared, sharedBy, scenario } = shape;
  if (scenario.skew > 0) return drawnKeys(shape);
  const groups = Math.ceil(files / sharedBy);
  const own = rowsPerFile - shared;
  const ownKey = scenario.layout === 'ranges' ? `file * ${own} + place` : `place * ${files} + file`;
  return `
    select part * ${shared} + place as k, least((part + 1) * ${sharedBy}, ${files}) as v
      from ${series('part', groups)}, ${series('place', shared)}
    union all
    select ${groups * shared} + ${ownKey}, file + 1
      from ${series('file', files)}, ${series('place', own)}`;
}

/** Drawn keys come again inside of one file; the last row of all wins. */
function drawnKeys({ rows, keysEnd, seed, scenario }: Shape): string {
  const part = `(${mixSpreadSql('mixed_row')})::float8 / ${WORD}`;
  const powers = Array.from({ length: scenario.skew + 1 }, () => 'part').join(' * ');
  return `
    select k, max(v) as v
      from (select floor(${keysEnd}::float8 * ${powers})::bigint as k, r + 1 as v
              from (select r, ${part} as part
                      from (select r, ${mixSumSql('r', '1', seed)} as mixed_row
                              from ${series('r', rows)} offset 0) summed offset 0) parts) drawn
     group by k`;
}

/**
 * Keys of the table that no file holds. The tables' rows are counted with those that are known,
 * whose number is exact wherever keys are not drawn at random.
 */
function otherKeys({ keysEnd, tableRows, scenario }: Shape): string {
  const knownKeys = Math.floor(keysEnd / 100) * Math.round(scenario.known * 100);
  const rest = Math.min(keysEnd % 100, Math.round(scenario.known * 100));
  const count = Math.max(0, tableRows - knownKeys - rest);
  return `select ${keysEnd} + other, 0::bigint from ${series('other', count)}`;
}

/** Keys and versions (k, v) made into rows. `offset 0` keeps each step from being repeated. */
function rowsOf(shape: Shape, keys: string): string {
  const { seed, scenario } = shape;
  const columns = columnsOf(scenario);
  const values = columns.map(({ name, sql, sqlType }) => `cast(${sql} as ${sqlType}) as ${name}`);
  return `
    select ${values.join(', ')}
      from (select ${scenario.scattered ? 'key_mix' : 'k + 1'} as base, key_mix, mixed,
                   v as version
              from (select k, v, ${mixSpreadSql('key_sum')} as key_mix,
                           ${mixSpreadSql('sum')} as mixed
                      from (select k, v, ${mixSumSql('k', '0', seed)} as key_sum,
                                   ${mixSumSql('k', 'v', seed)} as sum
                              from (${keys}) as keys (k, v) offset 0) as sums offset 0) as mixes
             offset 0) as seeds`;
}

function series(name: string, count: number): string {
  return `generate_series(0::bigint, ${count - 1}::bigint) as ${name}`;
}
