import { describe, expect, it } from 'vitest';
import { EtlError } from '../../../src/errors.ts';
import type { LoadRequest, Settings } from '../../../src/job/schema.ts';
import { fingerprintOf } from '../../../src/plan/fingerprint.ts';
import { planLoads } from '../../../src/plan/plan.ts';
import type { LoadPlan } from '../../../src/plan/plan-types.ts';
import { jobSchema } from '../../../src/job/schema.ts';
import { fakeContext, fakeCsv, type FakeFile } from './fake-context.ts';
import { column, request, table } from './fixtures.ts';

const PAGES = table({
  columns: [
    column('id', 'int8', { notNull: true }),
    column('content'),
    column('scraped_at'),
    column('created_at'),
  ],
});
const HEADERS = ['id', 'content', 'scraped_at', 'created_at'];

async function planOf(
  load: Partial<LoadRequest>,
  files: FakeFile[] = pages(),
  onError: Settings['onError'] = 'stop',
): Promise<LoadPlan> {
  const job = jobSchema.parse({ loads: [request(load)], settings: { onError } });
  const { loads } = await planLoads(job, fakeContext({ tables: [PAGES], files }));
  const [first] = loads;
  if (first === undefined) throw new Error('a plan has a load');
  return first;
}

/** Six files of the same keys, for which the superseded rows would otherwise not be sent. */
function pages(): FakeFile[] {
  return Array.from({ length: 6 }, (_, file) =>
    fakeCsv(
      `${file}.csv`,
      HEADERS,
      Array.from({ length: 2_000 }, (__, row) => [String(row), `text ${file}`, '1', '1']),
    ),
  );
}

async function problemOf(load: Partial<LoadRequest>, files?: FakeFile[]): Promise<EtlError> {
  const error: unknown = await planOf(load, files).catch((refusal: unknown) => refusal);
  if (!(error instanceof EtlError)) throw new Error('the plan was to be refused');
  return error;
}

describe('column policies', () => {
  it('are spelled as the table spells its columns, and absent where none are named', async () => {
    const load = await planOf({ insertOnly: ['Created_At'], compare: ['CONTENT'] });
    expect(load).toMatchObject({ insertOnly: ['created_at'], compare: ['content'] });
    expect(Object.keys(await planOf({}))).not.toContain('insertOnly');
    expect(Object.keys(await planOf({}))).not.toContain('compare');
  });

  it('send all rows to the server, since those that lose are part of the result', async () => {
    const strategy = 'partitioned';
    expect((await planOf({ strategy })).dropSuperseded).toBe(true);
    expect((await planOf({ strategy, compare: ['content'] })).dropSuperseded).toBe(false);
    expect((await planOf({ strategy, insertOnly: ['created_at'] })).dropSuperseded).toBe(false);
  });

  it('are not partitioned where bad rows are put aside, since all rows are judged first', async () => {
    const load: Partial<LoadRequest> = { strategy: 'partitioned', compare: ['content'] };
    const asked = planOf(load, pages(), 'quarantine');
    await expect(asked).rejects.toThrow('bad rows are looked for before each merge of whole files');
    const secondsOf = async (more: Partial<LoadRequest>): Promise<number | null | undefined> => {
      const { costs } = await planOf(more, pages(), 'quarantine');
      return costs.find(({ strategy }) => strategy === 'partitioned')?.seconds;
    };
    expect(await secondsOf({ compare: ['content'] })).toBeNull();
    expect(await secondsOf({ insertOnly: ['created_at'] })).toBeNull();
    expect(await secondsOf({})).toBeGreaterThan(0);
  });

  it('tell the nearest column, all problems together', async () => {
    const { record } = await problemOf({ insertOnly: ['creatd_at'], compare: ['id'] });
    const told = record.facts.problems?.join('\n') ?? '';
    expect(told).toContain('app.orders has no column "creatd_at", which insertOnly names.');
    expect(told).toContain('Did you mean "created_at"?');
    expect(told).toContain('It is a column of the key, which compare cannot name');
  });

  it.each<[Partial<LoadRequest>, string, string]>([
    [
      { onConflict: 'newest', versionColumn: 'scraped_at', insertOnly: ['scraped_at'] },
      'ETL_USAGE',
      'It is the version column',
    ],
    [
      { insertOnly: ['content'], compare: ['Content'] },
      'ETL_USAGE',
      'It is in insertOnly and in compare',
    ],
  ])('%j is refused', async (load, code, sentence) => {
    const { record } = await problemOf(load);
    expect(record.code).toBe(code);
    expect(record.sentence).toContain(sentence);
  });

  it('need a compared column in each file that is loaded', async () => {
    const files = [...pages(), fakeCsv('poor.csv', ['id', 'scraped_at'], [['1', '2']])];
    const { record } = await problemOf({ compare: ['content'] }, files);
    expect(record.facts.file).toBe('poor.csv');
    expect(record.sentence).toContain('none of the columns that compare names (content)');
  });

  it('change what loading a file means, in any order of their names', () => {
    const utc = { timeZone: 'UTC' };
    const of = (load: Partial<LoadRequest>): string => fingerprintOf(request(load), ['id'], utc);
    const all = [{}, { compare: ['a', 'b'] }, { insertOnly: ['a', 'b'] }, { compare: ['a'] }];
    expect(new Set(all.map(of)).size).toBe(all.length);
    expect(of({ compare: ['b', 'a'] })).toBe(of({ compare: ['a', 'b'] }));
    expect(of({ compare: null, insertOnly: null })).toBe(of({}));
  });
});
