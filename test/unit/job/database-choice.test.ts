import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseDatabase, redactUrl, urlProblem } from '../../../src/job/database-choice.ts';
import { jobSchema } from '../../../src/job/schema.ts';

const loads = [{ files: ['a.csv'], table: 't' }];
const jobWithout = jobSchema.parse({ loads });
const jobWith = jobSchema.parse({ loads, databaseUrl: 'postgresql://db/app' });

describe('chooseDatabase', () => {
  test('takes the URL of the job before anything else', () => {
    expect(chooseDatabase(jobWith, { PGHOST: 'other' })).toEqual({
      kind: 'url',
      url: 'postgresql://db/app',
    });
  });

  test('leaves every part to the PG variables where one says where or who', () => {
    expect(chooseDatabase(jobWithout, { PGPORT: '5433', PGUSER: 'me', PGPASSWORD: 'x' })).toEqual({
      kind: 'variables',
      url: 'postgres://',
      names: ['PGPORT', 'PGUSER'],
    });
  });

  test.each(['PGSERVICE', 'PGHOSTADDR'])('%s alone names a database, too', (name) => {
    expect(chooseDatabase(jobWithout, { [name]: 'x' })).toMatchObject({ names: [name] });
  });

  test('otherwise the embedded server serves', () => {
    expect(chooseDatabase(jobWithout, {}).kind).toBe('embedded');
    expect(chooseDatabase(jobWithout, { PGHOST: '', PGPASSWORD: 'x' }).kind).toBe('embedded');
  });
});

describe('urlProblem', () => {
  test.each([
    ['postgres://a:1,b:2/app', 'several hosts'],
    ['postgres://me:x@a,b/app?target_session_attrs=read-write', 'several hosts'],
    ['postgres:///app?host=a,b', 'several hosts'],
    ['postgres://me:a,b/c@host/app', 'in a password'],
    ['postgres://me:a,b@host/app', null],
    ['postgres://me:x@host/a,b?options=-c%20a=b,c', null],
  ])('%s', (url, says) => {
    const problem = urlProblem(url);
    if (says === null) expect(problem).toBeNull();
    else expect(problem).toContain(says);
  });
});

describe('redactUrl', () => {
  test.each([
    ['postgres://me:secret@db:5432/app', 'postgres://me:***@db:5432/app'],
    ['postgres://me:se@cr/e?t@db/app', 'postgres://me:***@db/app'],
    ['postgres://me:se cret@db/app', 'postgres://me:***@db/app'],
    ['postgres://:secret@db/app', 'postgres://:***@db/app'],
    ['mysql://me:secret@db/app', 'mysql://me:***@db/app'],
    ['postgres://me@db/app', 'postgres://me@db/app'],
    ['postgres://db:5432/app', 'postgres://db:5432/app'],
    ['postgres://db/app?user=me&password=secret&x=1', 'postgres://db/app?user=me&password=***&x=1'],
    ["host=db password='se cr\\'et' user=me", 'host=db password=*** user=me'],
    ['cannot reach postgres://a:b@c/d now', 'cannot reach postgres://a:***@c/d now'],
  ])('%s', (text, redacted) => {
    expect(redactUrl(text)).toBe(redacted);
  });

  test('leaves no password in any URL, encoded or raw', () => {
    const password = fc
      .string({ minLength: 1, maxLength: 20 })
      .filter((text) => /^\S+$/.test(text));
    fc.assert(
      fc.property(password, fc.boolean(), (text, encoded) => {
        const secret = `s3cr3t${encoded ? encodeURIComponent(text) : text}s3cr3t`;
        const shown = redactUrl(`connecting to postgres://me:${secret}@host.example/db failed`);
        expect(shown).toBe('connecting to postgres://me:***@host.example/db failed');
      }),
    );
  });
});
