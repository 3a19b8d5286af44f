import { fromSource, loadPart, type LoadedPart } from '../code-cache.ts';
import { COMMANDS } from './command-names.ts';

type Commands = typeof import('./etl.ts');

/** Said by a build, which has the commands in its script. */
declare const ETL_SCRIPT: string | undefined;

/** @param word the first after `etl`, if there is one */
export async function loadCommands(
  word: string | undefined,
  verbose: boolean,
): Promise<LoadedPart<Commands>> {
  if (typeof ETL_SCRIPT === 'undefined') return fromSource(await import('./etl.ts'));
  const use = COMMANDS.find((name) => name === word) ?? 'help';
  return loadPart<Commands>('commands', { use, plain: verbose });
}
