import type { Argv } from 'yargs';
import type { Flag } from './flags.ts';

/** Declares flags to the parser. Those that are hidden are understood, and missing in the help. */
export function declareFlags(parser: Argv, flags: readonly Flag[], hidden = false): Argv {
  for (const flag of flags) {
    const { name, group, takes, defaultText } = flag;
    parser.option(name, {
      group: `${group}:`,
      describe: helpText(flag),
      hidden,
      type: takes === 'nothing' ? 'boolean' : 'string',
      ...(takes === 'many' ? { array: true } : {}),
      ...(takes === 'nothing' ? {} : { requiresArg: true }),
      ...(defaultText === '' ? {} : { defaultDescription: defaultText }),
    });
  }
  return parser;
}

function helpText({ name, description, values, defaultText }: Flag): string {
  const off = defaultText === 'on' ? ` --no-${name} turns it off.` : '';
  return `${description}${off}${values === '' ? '' : ` (${values})`}`;
}
