import { didYouMean } from '../job/nearest-name.ts';
import { LIMITS } from '../limits.ts';
import { Refusal } from './refusal.ts';

/** What the address of an upload asks for. */
export interface UploadQuery {
  /** How long the answer may wait for the end of the upload; 0: not at all. */
  readonly waitSeconds: number;
  /** Of the file, for its format and for people. */
  readonly name: string | null;
  /** Loaded by a run of its own, so that all counts are its own. */
  readonly alone: boolean;
}

const KNOWN = ['wait', 'name', 'alone'] as const;

/** @throws Refusal 400 for what is not known, or comes twice */
export function uploadQuery(query: unknown, kind: 'rows' | 'files'): UploadQuery {
  const words = new Map(Object.entries(query as Record<string, unknown>));
  const known = KNOWN.filter((word) => kind === 'files' || word !== 'name');
  for (const [word, value] of words) {
    if (!known.some((one) => one === word)) {
      throw bad(`There is no parameter ${JSON.stringify(word)}.${didYouMean(word, known)}`);
    }
    if (typeof value !== 'string') throw bad(`The parameter ${word} comes twice.`);
  }
  const textOf = (word: string): string | null => (words.get(word) as string | undefined) ?? null;
  return {
    waitSeconds: seconds(textOf('wait')),
    name: textOf('name'),
    alone: flag(textOf('alone')),
  };
}

function seconds(text: string | null): number {
  if (text === null) return LIMITS.serveWaitSeconds;
  if (/^\d{1,6}$/.test(text) && Number(text) <= LIMITS.serveWaitSecondsMax) return Number(text);
  throw bad(`wait is a number of seconds from 0 to ${LIMITS.serveWaitSecondsMax}.`);
}

function flag(text: string | null): boolean {
  if (text === null || text === 'false') return false;
  if (text === '' || text === 'true') return true;
  throw bad('alone is true or false.');
}

function bad(sentence: string): Refusal {
  return new Refusal(400, sentence, 'See docs/serve.md for the parameters.');
}
