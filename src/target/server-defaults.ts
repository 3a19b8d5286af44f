import type { Connection } from './connect.ts';

/**
 * What the server, its role and its database say of memory and durability: the values that a
 * session starts with, whatever this one has set since.
 */
export interface ServerDefaults {
  readonly sharedBuffersBytes: number;
  readonly workMemBytes: number;
  readonly maintenanceWorkMemBytes: number;
  readonly tempBuffersBytes: number;
  readonly parallelMaintenanceWorkers: number;
  /** As the server spells it: on, off, local, remote_write, remote_apply. */
  readonly synchronousCommit: string;
}

/** Values in the unit that the server keeps them in (kB, 8kB); the unit is told beside. */
const READ_DEFAULTS = `
select name, reset_val as value, unit
  from pg_catalog.pg_settings
 where name in ('shared_buffers', 'work_mem', 'maintenance_work_mem', 'temp_buffers',
                'max_parallel_maintenance_workers', 'synchronous_commit')`;

export async function readServerDefaults(connection: Connection): Promise<ServerDefaults> {
  const rows = await connection.query(READ_DEFAULTS);
  const found = new Map(rows.map((row) => [row['name'], row]));
  const text = (name: string, column = 'value'): string => {
    const value = found.get(name)?.[column];
    return typeof value === 'string' ? value : '';
  };
  const bytes = (name: string): number => Number(text(name)) * unitBytes(text(name, 'unit'));
  return {
    sharedBuffersBytes: bytes('shared_buffers'),
    workMemBytes: bytes('work_mem'),
    maintenanceWorkMemBytes: bytes('maintenance_work_mem'),
    tempBuffersBytes: bytes('temp_buffers'),
    parallelMaintenanceWorkers: Number(text('max_parallel_maintenance_workers')),
    synchronousCommit: text('synchronous_commit'),
  };
}

/** `kB` is 1024, `8kB` (a page, whose size is chosen when the server is built) 8192. */
function unitBytes(unit: string): number {
  const factor = /^\d+/.exec(unit)?.[0] ?? '1';
  const scale = unit.endsWith('MB') ? 1024 * 1024 : unit.endsWith('kB') ? 1024 : 1;
  return Number(factor) * scale;
}
