import { LIMITS } from '../limits.ts';
import type { Connection } from './connect.ts';

/**
 * What a session was told before, else what `ask` gives: for what stays true as long as the session and
 * its settings do, or where an answer of yesterday can do no harm. A session that is kept for many small
 * loads is asked the same by each of them.
 *
 * @param question names the question and all that the answer depends on
 */
export async function remembered<T>(
  { told }: Pick<Connection, 'told'>,
  question: string,
  ask: () => Promise<T>,
): Promise<T> {
  if (told.has(question)) return told.get(question) as T;
  const answer = await ask();
  if (told.size >= LIMITS.sessionAnswersMax) told.clear();
  told.set(question, answer);
  return answer;
}
