import type { ErrorRecord } from '../../errors.ts';
import { inFields } from '../../remedy.ts';

/**
 * An error of a load, as whoever has no command line is to read it, a program or a client of a service:
 * settings by their fields, also in the problems that an error lists.
 */
export function inCode(record: ErrorRecord): ErrorRecord {
  const { settings, ...facts } = record.facts;
  if (settings === undefined) return record;
  const told = (text: string): string => inFields(text, settings);
  return {
    ...record,
    remedy: told(record.remedy),
    facts: {
      ...facts,
      ...(facts.problems === undefined ? {} : { problems: facts.problems.map(told) }),
    },
  };
}
