import { FLAGS, type Flag } from '../src/cli/flags.ts';
import { jobOptions, type JobOption } from '../src/job/job-options.ts';
import { markdownTable, withTable } from './markdown.ts';

/** The README's tables, from the schema: flags that are of one call only, and all settings with theirs. */
export function flagTable(): string {
  return markdownTable(
    ['Flag', 'What it does'],
    FLAGS.filter((flag) => flag.option === null).map((flag) => [
      code(`--${flag.name}${flag.values === '' ? '' : ` ${flag.values}`}`),
      flag.description,
    ]),
  );
}

export function settingTable(): string {
  return markdownTable(
    ['In the job file', 'Type', 'Default', 'Environment', 'Flag', 'What it means'],
    jobOptions.map((option) => [
      code(settingName(option)),
      option.allowed,
      option.defaultValue === undefined ? 'required' : code(JSON.stringify(option.defaultValue)),
      option.variable === null ? '' : code(option.variable),
      flagText(FLAGS.find((flag) => flag.option === option)),
      option.description,
    ]),
  );
}

/** The text with both tables renewed. Throws where a pair of markers is missing. */
export function withTables(readme: string): string {
  return withTable(withTable(readme, 'flags', flagTable()), 'settings', settingTable());
}

/** `loads[].csv.delimiter` */
function settingName(option: JobOption): string {
  return option.path.join('.').replace('.*', '[]');
}

/** A value is shown only where it is written otherwise than in a job file. */
function flagText(flag: Flag | undefined): string {
  if (flag === undefined) return '';
  const { name, takes, values, defaultText } = flag;
  if (takes === 'many') return `${code(`--${name}`)} ${values}`;
  return code(defaultText === 'on' ? `--[no-]${name}` : `--${name}`);
}

function code(text: string): string {
  return `\`${text}\``;
}
