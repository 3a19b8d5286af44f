import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { filesOption, FLAGS } from '../../../src/cli/flags.ts';
import { jobOptions, type JobOption } from '../../../src/job/job-options.ts';
import { buildJob } from '../../../src/job/load-job.ts';
import type { Job } from '../../../src/job/schema.ts';

const about = { version: '1.2.3', width: 100 };

async function jobOf(...argv: string[]): Promise<Job> {
  const invocation = await parseArguments(argv, about);
  if (invocation.command !== 'run') throw new Error(invocation.command);
  const { overrides } = invocation.load;
  return buildJob({ file: null, env: {}, overrides, cwd: '/home/me' });
}

/** A value that is allowed and is not the default. */
function otherValue(option: JobOption): { readonly words: string[]; readonly value: unknown } {
  const setting = option.path.at(-1) ?? '';
  const format = option.path.find((step) => step === 'json' || step === 'documents');
  const name = format === undefined ? setting : `${format}.${setting}`;
  const special: Record<string, [string, unknown]> = {
    databaseUrl: ['postgres://db/x', 'postgres://db/x'],
    onConflict: ['ignore', 'ignore'],
    order: ['mtime', 'mtime'],
    onError: ['quarantine', 'quarantine'],
    strategy: ['hybrid', 'hybrid'],
    key: ['a,b', ['a', 'b']],
    insertOnly: ['a,b', ['a', 'b']],
    compare: ['a,b', ['a', 'b']],
    columns: ['a=x,b=', { a: 'x', b: null }],
    'json.records': ['/a~1b/c', '/a~1b/c'],
    'json.columns': ['a=/x/0,b=', { a: '/x/0', b: '' }],
    'documents.path': ['{id}.html', '{id}.html'],
    'documents.columns': ['a=content,b=size', { a: 'content', b: 'size' }],
    types: ['x=numeric(10,2),y=date', { x: 'numeric(10,2)', y: 'date' }],
    compression: ['x=none,y=lz4', { x: 'none', y: 'lz4' }],
    session: ['work_mem=128MB,jit=on', { work_mem: '128MB', jit: 'on' }],
    concurrency: ['3', 3],
    threads: ['never', 'never'],
    transform: ['score.ts', { module: '/home/me/score.ts', options: {} }],
  };
  if (option.kind === 'switch') return { words: [], value: option.defaultValue !== true };
  const [word, value] = special[name] ?? (option.kind === 'number' ? ['7', 7] : ['|', '|']);
  return { words: [word], value };
}

describe('flags and schema', () => {
  test('each setting has one flag, and each flag that sets something its setting', () => {
    const ofFlags = FLAGS.flatMap((flag) => flag.option ?? []);
    expect(new Set(ofFlags)).toEqual(
      new Set(jobOptions.filter((one) => one !== filesOption && one.kind !== 'objects')),
    );
    expect(new Set(ofFlags).size).toBe(ofFlags.length);
    expect(new Set(FLAGS.map((flag) => flag.name)).size).toBe(FLAGS.length);
  });

  test('the names are those that people know', () => {
    const names = FLAGS.map((flag) => flag.name);
    const promised =
      'database-url table key strategy concurrency order on-conflict version-column columns types ' +
      'csv-delimiter csv-quote csv-null csv-encoding csv-header csv-skip-lines csv-comment csv-trim ' +
      'create-table dry-run report json quiet verbose force config chunk-size sub-batch-size ' +
      'conflict-detection deterministic performance-monitoring lock-timeout-ms';
    expect(names).toEqual(expect.arrayContaining(promised.split(' ')));
  });

  test.each(FLAGS.flatMap((flag) => (flag.option === null ? [] : [[flag.name, flag] as const])))(
    '--%s arrives in the job',
    async (name, { option }) => {
      if (option === null) return;
      const { words, value } = otherValue(option);
      const negated = option.kind === 'switch' && value === false;
      const argv = [`--${negated ? 'no-' : ''}${name}`, ...words];
      // What newest needs, so that the version column is no contradiction.
      if (name === 'version-column') argv.push('--on-conflict', 'newest');
      if (/^documents-(?!path)/.test(name)) argv.push('--documents-path', '{id}.html');
      if (name !== 'table') argv.push('--table', 't');
      const job: unknown = await jobOf('run', 'a.csv', ...argv);
      const found = option.path.reduce<unknown>(
        (parent, step) => (parent as Record<string, unknown>)[step === '*' ? '0' : step],
        job,
      );
      expect(found).toEqual(value);
      expect(found).not.toEqual(option.defaultValue);
    },
  );
});

describe('values of flags', () => {
  test.each([
    [['--csv-delimiter', '\\t'], { delimiter: '\t' }],
    [['--csv-delimiter', ';'], { delimiter: ';' }],
    [['--csv-quote='], { quote: null }],
    [['--csv-quote', ''], { quote: null }],
    [['--csv-null', '\\N'], { null: '\\N' }],
    [['--csv-null='], { null: '' }],
    [['--csv-null', '-1'], { null: '-1' }],
    [['--no-csv-header', '--csv-skip-lines=2'], { header: false, skipLines: 2 }],
  ])('%j', async (words, csv) => {
    const job = await jobOf('run', 'a.csv', '--table', 't', ...words);
    expect(job.loads[0]?.csv).toMatchObject(csv);
  });

  test('lists and mappings may be repeated, and keep commas in parentheses', async () => {
    const job = await jobOf(
      ...['run', 'a.csv', '--table', 't', '--key', 'a,b', '--key', 'c'],
      ...['--columns', 'Order ID=id,junk=', '--columns', 'constructor=c'],
      ...['--types', 'x=numeric(10,2), y=varchar(5)'],
    );
    expect(job.loads[0]).toMatchObject({
      key: ['a', 'b', 'c'],
      columns: { 'Order ID': 'id', junk: null, constructor: 'c' },
      types: { x: 'numeric(10,2)', y: 'varchar(5)' },
    });
  });

  test('names that look like numbers stay names, and -- ends the flags', async () => {
    const job = await jobOf('run', '007', '--table', '1e3', '--json', '1.csv', '--', '-odd.csv');
    expect(job.loads[0]).toMatchObject({
      files: ['/home/me/007', '/home/me/1.csv', '/home/me/-odd.csv'],
      table: '1e3',
    });
  });
});

describe('refusals', () => {
  const load = ['run', 'a.csv', '--table', 't'];
  test.each([
    [[...load, '--tabel', 'x'], 'There is no flag --tabel. Did you mean "--table"?'],
    [[...load, '--no-jsn'], 'There is no flag --no-jsn. Did you mean "--no-json"?'],
    [[...load, '--on_conflict', 'x'], 'Did you mean "--on-conflict"?'],
    [[...load, '--delimiter', ';'], 'There is no flag --delimiter.'],
    [[...load, '-x'], 'There is no flag -x.'],
    [[...load, '--foo', '--bar'], 'There is no flag --foo. There is no flag --bar.'],
    [[...load, '--constructor', '1'], 'There is no flag --constructor.'],
    [[...load, '--table', 'u'], '--table is given 2 times.'],
    [[...load, '--quiet', '--verbose'], '--quiet and --verbose contradict each other.'],
    [[...load, '--no-key'], '--no-key is not possible: --key takes a value.'],
    [[...load, '--no-report'], '--no-report is not possible: --report takes a value.'],
    [[...load, '--columns', 'a'], '--columns: "a" is not of the form source=target.'],
    [[...load, '--columns', '=a'], '--columns: "=a" is not of the form source=target.'],
    [[...load, '--columns', '__proto__=a'], 'is not of the form source=target.'],
    [[...load, '--columns', 'a=x,a=y'], '--columns: "a" comes twice.'],
    [[...load, '--types', 'a'], '--types: "a" is not of the form column=type.'],
    [[...load, '--session', 'jit'], '--session: "jit" is not of the form parameter=value.'],
    [[...load, '--session', 'jit=on,jit=off'], '--session: "jit" comes twice.'],
    [['run', 'a.csv', '--table'], '--table needs a value.'],
    [['run'], 'There is nothing to load.'],
    [['run', 'a.csv'], 'No table is named.'],
    [['plan', '--table', 't'], 'No files are named.'],
    [['plan', '--config', 'x', '--dryrun'], 'Did you mean "--dry-run"?'],
    [['rnu'], 'There is no command "rnu". Did you mean "etl run"?'],
    [[], 'No command is given.'],
    [['db'], 'etl db needs an action.'],
    [['db', 'strat'], 'etl db does not know "strat". Did you mean "start"?'],
    [['db', 'url', 'now'], 'etl db does not know "now".'],
    [['db', 'url', '--json'], 'There is no flag --json.'],
  ])('%j', async (argv, sentence) => {
    await expect(parseArguments(argv, about)).rejects.toMatchObject({
      record: {
        code: 'ETL_USAGE',
        sentence: expect.stringContaining(sentence) as unknown,
        remedy: expect.stringMatching(/\S/) as unknown,
      },
    });
  });
});

describe('help', () => {
  test.each([['--help'], ['-h'], ['run', '--help'], ['run', '--help', '--nonsense']])(
    '%s %s',
    async (...argv) => {
      const invocation = await parseArguments(argv, about);
      expect(invocation.command).toBe('text');
    },
  );

  test('of run and plan names every flag', async () => {
    for (const argv of [
      ['run', '--help'],
      ['plan', '-h'],
      ['run', 'help'],
      ['run', '--h'],
    ]) {
      const invocation = await parseArguments(argv, about);
      const text = invocation.command === 'text' ? invocation.text : '';
      for (const flag of FLAGS) expect(text).toContain(` --${flag.name} `);
      expect(text).toContain('Examples:');
    }
  });

  test('says the version', async () => {
    expect(await parseArguments(['--version'], about)).toEqual({
      command: 'text',
      text: '1.2.3\n',
    });
  });
});
