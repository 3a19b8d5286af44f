import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoted } from '../../src/target/names.ts';
import { libpqEnvironment } from './libpq-environment.ts';
import { runPeerCommand, withFolder, type CommandEnd } from './measured-command.ts';
import { mergeSql } from './merge-sql.ts';
import type { PeerCandidate, PeerJob } from './peer.ts';
import { missingCommand } from './probe.ts';

const NAME = 'pgloader';
const STAGE = 'peer_pgloader_stage';

/**
 * pgloader inserts and cannot upsert, so it loads an unlogged table and merges it by its own AFTER
 * LOAD DO, as its manual suggests. One reader and one writer (`concurrency = 1`): with more writers
 * the rows' order, and with it which row wins, would be lost.
 *
 * The two need a worker each. One worker for both reads the whole file before it writes, and waits
 * for ever once its queue is full, after 100,000 rows. `prefetch rows` makes the queue longer: 250,000
 * rows then took 3.8 s of CPU and 365 MB, against 5.2 s and 212 MB by two workers, who load files of
 * any size; at four million rows the queue would be 4 GB.
 */
export const pgloader: PeerCandidate = {
  name: NAME,
  does: 'pgloader cannot upsert: file after file it loads an unlogged table, and merges that in AFTER LOAD DO.',
  deterministic: true,
  maxRows: null,
  missing: () => missingCommand('pgloader'),
  run: (job) =>
    withFolder(async (folder) => {
      const scripts = job.files.map((_, index) => join(folder, `${index}.load`));
      for (const [index, file] of job.files.entries()) {
        await writeFile(scripts[index] ?? '', loadCommand(job, file));
      }
      // One call a script: of exactly two arguments it takes the second for a target's address.
      const each = 'for script; do pgloader --quiet --root-dir "$0" "$script" || exit 1; done';
      const words = ['sh', '-c', each, join(folder, 'root'), ...scripts];
      return runPeerCommand(NAME, words, job, failed);
    }),
};

/** pgloader ends with 0 even where rows were refused; its log tells. */
function failed({ exitCode, output }: CommandEnd): boolean {
  return exitCode !== 0 || /^\S+ (ERROR|FATAL) /m.test(output);
}

/** Host, user and password are left to the environment; PGDATABASE alone pgloader does not read. */
function loadCommand(job: PeerJob, file: string): string {
  const fields = job.columns.map(({ name }) => `${quoted(name)} [null if blanks]`).join(', ');
  const columns = job.columns.map(({ name }) => quoted(name)).join(', ');
  const database =
    libpqEnvironment(job.databaseUrl)['PGDATABASE'] ?? process.env['PGDATABASE'] ?? '';
  return `load csv
  from '${file.replaceAll("'", "''")}' (${fields})
  into postgresql:///${database}
  target table ${STAGE} (${columns})
  with skip header = 1, fields terminated by ',', fields optionally enclosed by '"',
       fields escaped by double-quote, workers = 2, concurrency = 1, on error stop
  before load do
    $$ drop table if exists ${STAGE}; $$,
    $$ create unlogged table ${STAGE} (like ${job.table}, peer_line bigint generated always as identity); $$
  after load do
    $$ ${mergeSql(job, STAGE, 'peer_line')}; $$,
    $$ drop table ${STAGE}; $$;
`;
}
