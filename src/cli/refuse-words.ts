import { usage } from './flag-values.ts';

/** The parser keeps flags in plain objects and stumbles over `--constructor`, which is none. */
export function refuseInherited(argv: readonly string[]): void {
  for (const word of argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length)) {
    const name = /^--(?:no-)?([^=]+)/.exec(word)?.[1];
    if (name !== undefined && name in Object.prototype) {
      throw usage(`There is no flag --${name}.`, 'See etl run --help.');
    }
  }
}

/** Words behind those that a command takes. */
export function refuseMoreWords(
  words: readonly (string | number)[],
  command: string,
  remedy: string,
): void {
  if (words.length === 0) return;
  throw usage(`etl ${command} takes no ${JSON.stringify(String(words[0]))}.`, remedy);
}
