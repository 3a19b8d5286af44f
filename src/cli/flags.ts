import { jobOptions, type JobOption } from '../job/job-options.ts';
import { flagName } from '../remedy.ts';

/** One flag of a command. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  readonly group: FlagGroup;
  readonly description: string;
  /** What it sets in a job; null: it is about this one call only. */
  readonly option: JobOption | null;
  /** A switch takes no value; of a list, more may come with the flag again. */
  readonly takes: 'nothing' | 'one' | 'many';
  /** What its value may be, for people; empty for a switch and for free text. */
  readonly values: string;
  /** For people; empty where there is none. */
  readonly defaultText: string;
}

export type FlagGroup =
  'Load' | 'CSV' | 'JSON' | 'Documents' | 'Database and settings' | 'This command';

const TAKES = {
  switch: 'nothing',
  number: 'one',
  text: 'one',
  list: 'many',
  mapping: 'many',
  objects: 'nothing',
} as const satisfies Record<JobOption['kind'], Flag['takes']>;

/** `files` comes without a flag. */
const POSITIONAL = 'files';

const CALL_FLAGS: readonly Flag[] = [
  callFlag('config', 'FILE', 'Job file (JSON). Flags and the environment win over what it says.'),
  callFlag('dry-run', '', 'Stop after the plan: nothing is loaded.'),
  callFlag('force', '', 'Load again what the ledger says is loaded.'),
  callFlag(
    'retry-rejects',
    '',
    'Load the corrected rows of the reject files, in the place of what they correct.',
  ),
  callFlag('report', 'FILE', 'Write the report (JSON) to a file; config/report.schema.json.'),
  callFlag('json', '', 'Print only the report (run) or the plan (plan) on stdout, as JSON.'),
  callFlag('quiet', '', 'Print errors only.'),
  callFlag('verbose', '', 'Print the whole plan, log every step, show stack traces.'),
];

const GROUPS: readonly FlagGroup[] = [
  'Load',
  'CSV',
  'JSON',
  'Documents',
  'Database and settings',
  'This command',
];

/** Settings of one format have its name before theirs. */
const FORMATS: ReadonlyMap<string, FlagGroup> = new Map([
  ['csv', 'CSV'],
  ['json', 'JSON'],
  ['documents', 'Documents'],
]);

/** How the mappings are written, for people; and an example for whoever got it wrong. */
export const MAPPINGS: Readonly<Record<string, { values: string; example: string }>> = {
  columns: {
    values: 'source=target,…; source= leaves it out',
    example: 'Write source= to leave a column out; a name that holds "," or "=" needs a job file.',
  },
  'json-columns': {
    values: 'column=/pointer,…; column= is the record itself',
    example: 'For example --json-columns ocid=/ocid,buyer=/buyer/name,release=.',
  },
  'documents-columns': {
    values: 'column=source,…',
    example: 'For example --documents-columns html=content,scraped_at=modified.',
  },
  types: { values: 'column=type,…', example: 'For example --types id=bigint,total=numeric(10,2).' },
  compression: {
    values: 'column=method,…',
    example:
      'For example --compression html=fast: by LZ4 where the server has it, else as they are.',
  },
  session: { values: 'parameter=value,…', example: 'For example --session work_mem=128MB,jit=on.' },
};

/** Made from the schema, so that a setting cannot lack its flag, nor a flag its setting. */
export const FLAGS: readonly Flag[] = [
  ...jobOptions.filter(hasFlag).map(optionFlag),
  ...CALL_FLAGS,
].sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));

export const filesOption = jobOptions.find((option) => option.path.at(-1) === POSITIONAL);

/** A list of objects is for the job file. */
function hasFlag({ path, kind }: JobOption): boolean {
  return path.at(-1) !== POSITIONAL && kind !== 'objects';
}

function optionFlag(option: JobOption): Flag {
  const format = option.path.find((step) => FORMATS.has(step));
  const name = flagName(option.path);
  const ofJob = option.path.includes('*') ? 'Load' : 'Database and settings';
  return {
    name,
    group: FORMATS.get(format ?? '') ?? ofJob,
    description: option.description,
    option,
    takes: TAKES[option.kind],
    values: valuesOf(option, name),
    defaultText: defaultText(option),
  };
}

function valuesOf(option: JobOption, name: string): string {
  switch (option.kind) {
    case 'switch':
    case 'objects':
      return '';
    case 'list':
      return 'a,b';
    case 'mapping':
      return MAPPINGS[name]?.values ?? 'name=value,…';
    case 'number':
      return option.allowed;
    case 'text':
      return option.allowed.includes(', ') && !option.nullable ? option.allowed : '';
  }
}

/** A flag that sets nothing in a job. `values`: empty for a switch. */
export function callFlag(
  name: string,
  values: string,
  description: string,
  defaultText = '',
): Flag {
  const takes = values === '' ? 'nothing' : 'one';
  return { name, group: 'This command', description, option: null, takes, values, defaultText };
}

function defaultText({ kind, defaultValue }: JobOption): string {
  if (kind === 'switch') return defaultValue === true ? 'on' : 'off';
  if (typeof defaultValue === 'number') return String(defaultValue);
  if (typeof defaultValue !== 'string') return '';
  return defaultValue === '' ? 'nothing' : defaultValue;
}
