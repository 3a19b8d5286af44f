import { redactUrl } from '../job/database-choice.ts';

/** Whether a word of the command line has a password in it. */
export function hasPassword(argv: readonly string[]): boolean {
  return argv.some((word) => redactUrl(word) !== word);
}

/**
 * The command line as the list of processes may show it; null where it may show it as it is. Set as
 * process.title, Node writes it over the words themselves, so that `ps` and /proc/…/cmdline have no
 * password from then on: a tenth of a second after the start. Parents (`npx`, a shell) keep theirs.
 */
export function titleWithoutPassword(argv: readonly string[]): string | null {
  return hasPassword(argv) ? ['etl', ...argv.map(redactUrl)].join(' ') : null;
}

export const PASSWORD_NOTICE =
  'etl: Others can see a password on the command line in the list of processes; ' +
  'DATABASE_URL, PGPASSWORD and ~/.pgpass keep it to you.\n';
