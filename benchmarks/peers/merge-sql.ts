import { quoted } from '../../src/target/names.ts';
import type { PeerJob } from './peer.ts';

export type UpsertShape = Pick<PeerJob, 'table' | 'columns' | 'key'>;

/** `"id", "name"`, in the order of the files' headers. */
export function columnList({ columns }: Pick<UpsertShape, 'columns'>): string {
  return columns.map(({ name }) => quoted(name)).join(', ');
}

/** `on conflict ("id") do update set "name" = excluded."name"`. */
export function onConflict({ columns, key }: Omit<UpsertShape, 'table'>): string {
  const set = columns
    .filter(({ name }) => !key.includes(name))
    .map(({ name }) => `${quoted(name)} = excluded.${quoted(name)}`);
  const action = set.length === 0 ? 'nothing' : `update set ${set.join(', ')}`;
  return `on conflict (${key.map(quoted).join(', ')}) do ${action}`;
}

/**
 * Merges a staging table that has the target's columns and a column `line` that grows with the
 * rows of the file: of equal keys the last row wins.
 */
export function mergeSql(shape: UpsertShape, stage: string, line: string): string {
  const list = columnList(shape);
  const keys = shape.key.map(quoted).join(', ');
  return (
    `insert into ${shape.table} (${list}) ` +
    `select distinct on (${keys}) ${list} from ${stage} order by ${keys}, ${line} desc ` +
    onConflict(shape)
  );
}
