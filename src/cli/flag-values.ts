import { EtlError } from '../errors.ts';
import { scalarFromText } from '../job/environment.ts';
import { overridesOf, type Override } from '../job/overlay.ts';
import { MAPPINGS, type Flag } from './flags.ts';

/** What a flag that sets something in the job says; refusals name the flag. */
export function overrideOf(flag: Flag, given: unknown): Override[] {
  const { option } = flag;
  if (option === null || given === undefined) return [];
  const origin = `--${flag.name}`;
  return overridesOf(option, valueOf(flag, given), origin);
}

/** The single text or switch that a flag was given; twice is a mistake that one should see. */
function onlyValue(flag: Flag, given: unknown): unknown {
  if (Array.isArray(given)) {
    throw usage(`--${flag.name} is given ${given.length} times.`, 'Give it once.');
  }
  if (flag.takes !== 'nothing' && typeof given === 'boolean') {
    throw usage(
      `--no-${flag.name} is not possible: --${flag.name} takes a value.`,
      'See etl run --help.',
    );
  }
  return given;
}

/** By the name of a flag, its single value among the words of a command line. */
export function valuesIn(
  flags: readonly Flag[],
  words: Readonly<Record<string, unknown>>,
): (name: string) => unknown {
  return (name) => {
    const flag = flags.find((known) => known.name === name);
    return flag === undefined ? undefined : onlyValue(flag, words[name]);
  };
}

/** @throws EtlError ETL_USAGE */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= least && value <= most) return value;
  throw usage(
    `--${name}: ${JSON.stringify(text)} is not a whole number from ${least} to ${most}.`,
    'See the help of the command (--help).',
  );
}

function valueOf(flag: Flag, given: unknown): unknown {
  const { option } = flag;
  if (option === null) return given;
  if (flag.takes !== 'many') {
    const value = onlyValue(flag, given);
    if (typeof value !== 'string') return value;
    // A tab is hard to type in a shell. (`\N` for NULL keeps its backslash.)
    return scalarFromText(option, option.path.at(-1) === 'delimiter' ? unescapeTab(value) : value);
  }
  const texts = (Array.isArray(given) ? given : [given]).map((one) => onlyValue(flag, one));
  const parts = texts.map(String).flatMap(splitList);
  return option.kind === 'list' ? parts : mappingOf(flag, parts);
}

function unescapeTab(text: string): string {
  return text.replaceAll('\\t', '\t');
}

/** Splits at commas outside of parentheses: `total=numeric(10,2),day=date`. */
function splitList(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const [index, character] of [...text.matchAll(/[(),]/g)].map(
    (m) => [m.index, m[0]] as const,
  )) {
    if (character === '(') depth += 1;
    else if (character === ')') depth = Math.max(0, depth - 1);
    else if (depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...parts, text.slice(start)].map((part) => part.trim());
}

function mappingOf(flag: Flag, parts: readonly string[]): Record<string, string | null> {
  const nullable = flag.name === 'columns';
  const seen = new Set<string>();
  const entries = parts.map((part): [string, string | null] => {
    const at = part.indexOf('=');
    const name = part.slice(0, at).trim();
    if (at < 1 || name === '__proto__') {
      throw usage(
        `--${flag.name}: ${JSON.stringify(part)} is not of the form ${flag.values.replace(/,….*/, '')}.`,
        MAPPINGS[flag.name]?.example ?? 'See etl run --help.',
      );
    }
    if (seen.has(name)) {
      throw usage(`--${flag.name}: ${JSON.stringify(name)} comes twice.`, 'Name it once.');
    }
    seen.add(name);
    const target = part.slice(at + 1).trim();
    return [name, target === '' && nullable ? null : target];
  });
  return Object.fromEntries(entries);
}

export function usage(sentence: string, remedy: string): EtlError {
  return new EtlError('ETL_USAGE', sentence, remedy);
}
