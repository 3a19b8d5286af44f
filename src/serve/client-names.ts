import type { ErrorRecord } from '../errors.ts';
import { redactUrl } from '../job/database-choice.ts';
import { inCode } from '../run/upsert/remedy-in-code.ts';

export interface NamedFile {
  readonly base: string;
  readonly name: string;
}

/**
 * The error as its client is to read it: files by the names that the client gave them, and nothing of
 * where they lie here, nor of a password.
 */
export function asTold(
  record: ErrorRecord,
  files: readonly NamedFile[],
  folder: string,
): ErrorRecord {
  const told = (text: string): string =>
    files.reduce(
      (words, { base, name }) => words.replaceAll(base, name),
      redactUrl(text).replaceAll(`${folder}/`, ''),
    );
  // A client has no command line, and the service has a file of jobs.
  const { code, sentence, remedy, facts } = inCode(record);
  const problems = facts.problems?.map(told);
  return {
    code,
    sentence: told(sentence),
    remedy: told(remedy),
    facts: {
      ...facts,
      ...(facts.file === undefined ? {} : { file: told(facts.file) }),
      ...(problems === undefined ? {} : { problems }),
    },
  };
}
