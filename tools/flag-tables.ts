import { FLAGS, type Flag } from '../src/cli/flags.ts';
import { jobOptions, type JobOption } from '../src/job/job-options.ts';
import { markdownTable, withTable } from './markdown.ts';

/** The README's tables of flags and settings, from the schema. */
export function flagTable(): string {
  return markdownTable(
    ['Flag', 'Value', 'Default', 'What it does'],
    FLAGS.map((flag) => [
      code(flag.defaultText === 'on' ? `--[no-]${flag.name}` : `--${flag.name}`),
      flag.takes === 'nothing' ? '' : flag.values === '' ? 'text' : flag.values,
      flag.defaultText === '' ? '' : code(flag.defaultText),
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
      flagName(FLAGS.find((flag) => flag.option === option)),
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

function flagName(flag: Flag | undefined): string {
  return flag === undefined ? '' : code(`--${flag.name}`);
}

function code(text: string): string {
  return `\`${text}\``;
}
