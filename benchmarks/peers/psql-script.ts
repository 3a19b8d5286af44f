import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { literal } from '../../src/target/names.ts';
import { runPeerCommand, withFolder } from './measured-command.ts';
import { columnList, mergeSql } from './merge-sql.ts';
import type { PeerCandidate, PeerJob } from './peer.ts';
import { missingCommand } from './probe.ts';

const NAME = 'psql script';

/** The script that a careful person writes by hand; what most pipelines should be measured by. */
export const psqlScript: PeerCandidate = {
  name: NAME,
  does: 'One psql, file after file in a transaction of its own: \\copy into a temporary table, then one INSERT … SELECT DISTINCT ON … ON CONFLICT DO UPDATE.',
  deterministic: true,
  maxRows: null,
  missing: () => missingCommand('psql'),
  run: (job) =>
    withFolder(async (folder) => {
      const script = join(folder, 'load.sql');
      await writeFile(script, job.files.map((file) => fileScript(job, literal(file))).join('\n'));
      return runPeerCommand(NAME, ['psql', ...PSQL_FLAGS, '-f', script], job);
    }),
};

/** No start-up file, no chatter, and the first error ends it. */
export const PSQL_FLAGS = ['-X', '-q', '-v', 'ON_ERROR_STOP=1'] as const;

/** `source`: a file's name as a literal, or `pstdin`. */
export function fileScript(job: Omit<PeerJob, 'files'>, source: string): string {
  return [
    'begin;',
    `create temp table peer_stage (like ${job.table}, peer_line bigint generated always as identity) on commit drop;`,
    `\\copy peer_stage (${columnList(job)}) from ${source} with (format csv, header)`,
    `${mergeSql(job, 'peer_stage', 'peer_line')};`,
    'commit;',
    '',
  ].join('\n');
}
