import { didYouMean } from '../job/nearest-name.ts';
import { usage } from './flag-values.ts';

/** The words of `etl db`. */
export const DB_ACTIONS = ['start', 'stop', 'status', 'url'] as const;
export type DbAction = (typeof DB_ACTIONS)[number];

export function dbAction(action: unknown, rest: readonly (string | number)[]): DbAction {
  const known = DB_ACTIONS.find((name) => name === action);
  const word = String(known === undefined ? action : (rest[1] ?? ''));
  if (known !== undefined && word === '') return known;
  throw usage(
    `etl db does not know "${word}".${didYouMean(word, DB_ACTIONS)}`,
    `It takes one of ${DB_ACTIONS.join(', ')}.`,
  );
}
