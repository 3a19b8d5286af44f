import type { Environment } from './database-choice.ts';
import { jobOptions, type JobOption } from './job-options.ts';
import { nearestName } from './nearest-name.ts';
import { overridesOf, type Override } from './overlay.ts';

const MISTAKES_MAX = 2;

/** Settings from the environment: `ETL_CONCURRENCY=4`, `DATABASE_URL=postgres://…`. */
export function environmentOverrides(env: Environment): Override[] {
  return jobOptions.flatMap((option) => {
    const text = option.variable === null ? undefined : env[option.variable];
    // A variable that is set to nothing is the shell's way of not setting it.
    if (option.variable === null || text === undefined || text === '') return [];
    return overridesOf(option, valueFromText(option, text), option.variable);
  });
}

/**
 * Variables that look like one of ours, misspelt. Others that begin with ETL_ may belong to
 * another program, so they are none of our business.
 */
export function misspeltVariables(env: Environment): string[] {
  const known = jobOptions.flatMap((option) => option.variable ?? []);
  return Object.keys(env)
    .filter((name) => name.startsWith('ETL_') && !known.includes(name))
    .flatMap((name) => {
      const nearest = nearestName(
        name.slice(4),
        known.map((other) => other.slice(4)),
        MISTAKES_MAX,
      );
      return nearest === null
        ? []
        : [`${name} (environment): there is no such setting. Did you mean "ETL_${nearest}"?`];
    });
}

/** `work_mem=64MB,jit=on`; what is not of this form stays a text, for the schema to refuse. */
function valueFromText(option: JobOption, text: string): unknown {
  if (option.kind !== 'mapping') return scalarFromText(option, text);
  const parts = text.split(',').map((part) => part.split(/=(.*)/s));
  if (parts.some(([name = '', value]) => name.trim() === '' || value === undefined)) return text;
  return Object.fromEntries(parts.map(([name = '', value = '']) => [name.trim(), value.trim()]));
}

/**
 * What a word from the environment or the command line means for an option. What cannot be
 * understood stays as it is, for the schema to refuse with its own words.
 */
export function scalarFromText(option: JobOption, text: string): unknown {
  switch (option.kind) {
    case 'number':
      return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
    case 'switch':
      if (/^(?:true|on|yes|1)$/i.test(text)) return true;
      return /^(?:false|off|no|0)$/i.test(text) ? false : text;
    case 'text':
    case 'list':
    case 'mapping':
    case 'objects':
      return text === '' && option.nullable ? null : text;
  }
}
