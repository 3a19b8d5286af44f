import type { Layout } from './layout.ts';
import { PORT } from './layout.ts';

/** Settings of postgresql.conf by name. */
export type ServerSettings = Readonly<Record<string, string>>;

/** The file in the data folder that postgresql.conf includes last; written at every start. */
export const SETTINGS_FILE = 'etl.conf';

/**
 * For bulk loads on a laptop of two cores. fsync stays on: people come back to look at their data.
 *
 * wal_level minimal lets COPY into a table that the same transaction has created skip the WAL; it
 * asks for no WAL senders. Prepared transactions let a partitioned load commit at one moment.
 * A large max_wal_size keeps checkpoints, and the full pages that follow them, out of the load. The
 * background writer, which as it comes writes 4 MB a second, writes what a load needs room for: a session
 * that fills a table alone need not do it itself. 100,000 documents took 10.8 s in place of 11.7; merges of CSV
 * were as before.
 * No LLVM is shipped, so just-in-time compilation is not even tried.
 */
const DEFAULTS: ServerSettings = {
  shared_buffers: '256MB',
  maintenance_work_mem: '128MB',
  work_mem: '16MB',
  max_connections: '100',
  max_prepared_transactions: '64',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  bgwriter_delay: '50ms',
  bgwriter_lru_maxpages: '4000',
  log_checkpoints: 'off',
  jit: 'off',
};

/** The text of SETTINGS_FILE: our defaults, what the caller asked for, and what must hold. */
export function settingsText(layout: Layout, asked: ServerSettings): string {
  const settings: ServerSettings = {
    ...DEFAULTS,
    ...asked,
    port: String(PORT),
    listen_addresses: '',
    // A list, whose entries are quoted once more so that a comma in a path does no harm.
    unix_socket_directories: `"${layout.socketDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quoted(value)}`);
  return `# Written at every start. Use "alter system" for settings of your own.\n${lines.join('\n')}\n`;
}

function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
