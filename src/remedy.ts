/**
 * What can be done about an error. One text, as whoever types a command is to read it, and the settings
 * that it names, so that whoever writes a job or a program can be told the same by their fields.
 *
 * Both spellings in the text ("--on-error quarantine (settings.onError)") read badly in most remedies, and
 * flags looked for in it afterwards were misread: "--session work_mem=16MB" is a mapping, not a switch.
 */
export interface Remedy {
  readonly text: string;
  readonly settings: readonly NamedSetting[];
}

/** A setting as a remedy spells it. Plain JSON. */
export interface NamedSetting {
  /** On the command line, as it stands in the text: `--on-error quarantine`. */
  readonly flag: string;
  /** In a job, or in the target of a program: `settings.onError: "quarantine"`. */
  readonly field: string;
}

type Value =
  string | number | boolean | null | readonly string[] | Readonly<Record<string, string | null>>;

/** remedy`Raise ${setting('settings.maxErrors')}, or correct the rows.` */
export function remedy(
  words: TemplateStringsArray,
  ...parts: readonly (string | number | NamedSetting | Remedy)[]
): Remedy {
  const settings = parts.flatMap((part) =>
    typeof part !== 'object' ? [] : 'settings' in part ? part.settings : [part],
  );
  return { text: String.raw({ raw: words }, ...parts.map(textOf)), settings };
}

function textOf(part: string | number | NamedSetting | Remedy): string {
  if (typeof part !== 'object') return String(part);
  return 'text' in part ? part.text : part.flag;
}

/** `path` as in a job, of a load without `loads[].`: `settings.onError`, `csv.null`, `key`. */
export function setting(path: string, value?: Value): NamedSetting {
  const flag = flagName(path.split('.'));
  if (value === undefined) return { flag: `--${flag}`, field: path };
  const field = `${path}: ${JSON.stringify(value)}`;
  if (typeof value === 'boolean') return { flag: `--${value ? '' : 'no-'}${flag}`, field };
  return { flag: `--${flag} ${typed(value)}`, field };
}

/** What is asked of one call only: a flag, and an option of `plan` or `run`. */
export function callOption(name: string): NamedSetting {
  return { flag: `--${flagName([name])}`, field: name };
}

/** Formats have their name before their settings' own. */
const FORMATS = ['csv', 'json', 'documents'];

/** The flag of a setting, without the dashes. */
export function flagName(path: readonly string[]): string {
  const format = path.find((step) => FORMATS.includes(step));
  const name = path.at(-1) ?? '';
  const kebab = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return format === undefined ? kebab : `${format}-${kebab}`;
}

function typed(value: Exclude<Value, boolean>): string {
  if (value === null) return shellWord('');
  if (typeof value !== 'object') return shellWord(String(value));
  if (Array.isArray(value)) return shellWord(value.join(','));
  return shellWord(
    Object.entries(value)
      .map(([name, one]) => `${name}=${one ?? ''}`)
      .join(','),
  );
}

function shellWord(word: string): string {
  return /^[\w@%+:,./-]+$|^\w+=[\w.-]*\w$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The text with fields in the place of the flags that `settings` names. */
export function inFields(text: string, settings: readonly NamedSetting[] = []): string {
  // The longest first: `--csv-null` is the beginning of `--csv-null N/A`.
  const known = [...settings].sort((a, b) => b.flag.length - a.flag.length);
  return known.reduce((words, { flag, field }) => words.replaceAll(flag, () => field), text);
}
