import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runPeerCommand, withFolder } from './measured-command.ts';
import type { PeerCandidate } from './peer.ts';
import { missingCommand } from './probe.ts';
import { fileScript, PSQL_FLAGS } from './psql-script.ts';

const NAME = 'psql xargs -P';

/**
 * The usual way to make the script faster. Whichever file commits last wins a shared key, so the
 * table ends as chance will have it, and a transaction that waits for another may deadlock. A
 * failure is told and not tried again, since the script would not be either.
 */
export const psqlXargs: PeerCandidate = {
  name: NAME,
  does: 'The psql script on each file, as many at a time as xargs -P allows; which file wins a shared key is left to chance.',
  deterministic: false,
  maxRows: null,
  missing: () => missingCommand('psql', 'xargs'),
  run: (job) =>
    withFolder(async (folder) => {
      const [script, list] = [join(folder, 'load.sql'), join(folder, 'files')];
      await writeFile(script, fileScript(job, 'pstdin'));
      await writeFile(list, job.files.map((file) => `${file}\0`).join(''));
      const processes = job.concurrency ?? Math.max(2, availableParallelism());
      const one = `psql ${PSQL_FLAGS.join(' ')} -f "$0" < "$1"`;
      const all = 'exec xargs -0 -n 1 -P "$1" sh -c "$2" "$3" < "$4"';
      const words = ['sh', '-c', all, 'sh', String(processes), one, script, list];
      return runPeerCommand(NAME, words, job);
    }),
};
