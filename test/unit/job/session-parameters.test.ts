import { describe, expect, test } from 'vitest';
import { overrideOf } from '../../../src/cli/flag-values.ts';
import { FLAGS } from '../../../src/cli/flags.ts';
import { build, minimal, problemsOf } from './built-job.ts';

const job = (session: unknown) => ({ ...minimal, settings: { session } });

describe("a session's parameters", () => {
  test('are texts, numbers and switches, by the names of PostgreSQL and of its extensions', () => {
    const session = {
      work_mem: '128MB',
      seq_page_cost: 1.5,
      jit: true,
      'auto_explain.log_min': -1,
    };
    expect(build({ file: job(session) }).settings.session).toEqual(session);
    expect(build({ file: minimal }).settings.session).toEqual({});
  });

  test('of a flag win over those of the environment, and these over the file, one by one', () => {
    const flag = FLAGS.find(({ name }) => name === 'session');
    if (flag === undefined) throw new Error('no flag --session');
    const built = build({
      file: job({ work_mem: '1MB', temp_buffers: '2MB', jit: 'on' }),
      env: { ETL_SESSION: 'temp_buffers=3MB, jit=off' },
      overrides: overrideOf(flag, ['jit=on', 'geqo=off']),
    });
    expect(built.settings.session).toEqual({
      work_mem: '1MB',
      temp_buffers: '3MB',
      jit: 'on',
      geqo: 'off',
    });
  });

  test.each([
    ['timezone', 'the setting timeZone says it, for it decides what a timestamp means'],
    ['search_path', 'name the table with its schema instead: --table schema.name'],
    [
      'session_replication_role',
      'it turns off triggers and foreign keys, and the table would end otherwise than row by row',
    ],
    ['role', 'a run could not see its own sessions; connect as that user instead'],
  ])('%s may not be set, and the reason is told', (name, reason) => {
    expect(problemsOf({ file: job({ [name]: 'x' }) })).toEqual([
      `settings.session.${name} (line 12): may not be set for a session: ${reason}.`,
    ]);
  });

  test.each([
    ['datestyle'],
    ['client_encoding'],
    ['standard_conforming_strings'],
    ['default_transaction_isolation'],
    ['default_transaction_read_only'],
    ['transaction_isolation'],
    ['application_name'],
    ['lock_timeout'],
    ['idle_session_timeout'],
    ['intervalstyle'],
  ])('%s is refused', (name) => {
    expect(problemsOf({ file: job({ [name]: '1' }) })).toHaveLength(1);
  });

  test('a name in capitals is refused as such, and for what it is', () => {
    const problems = problemsOf({ file: job({ TimeZone: 'UTC' }) });
    expect(problems.join('\n')).toMatch(/TimeZone .*: this is not the name of a parameter/);
    expect(problems.join('\n')).toMatch(/TimeZone .*: may not be set for a session/);
  });

  test.each([['work mem'], ['1x'], ["x'; drop table t; --"], ['a.b.c'], ['']])(
    '%j is not a name',
    (name) => {
      expect(problemsOf({ file: job({ [name]: '1' }) }).join('\n')).toContain(
        'this is not the name of a parameter; it is written in small letters, digits and _.',
      );
    },
  );

  test.each([[null], [['64MB']], [{ a: 1 }]])('%j is not a value', (value) => {
    expect(problemsOf({ file: job({ work_mem: value }) })).toEqual([
      expect.stringContaining(
        'is not allowed; it must be a text of 0 to 1000 characters, or a number, or true or false.',
      ),
    ]);
  });

  test('a variable that is not of the form name=value is refused', () => {
    expect(problemsOf({ file: minimal, env: { ETL_SESSION: 'fast' } })).toEqual([
      expect.stringContaining('settings.session (ETL_SESSION): "fast" is not allowed'),
    ]);
  });
});
