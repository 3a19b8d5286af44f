import {
  chmod,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyRecommendation } from '../../../benchmarks/tune/apply-recommendation.ts';
import { setMembers } from '../../../benchmarks/tune/json-edit.ts';
import { lineDiff } from '../../../benchmarks/tune/line-diff.ts';

const JOB = `{
  "description": "settings: \\"concurrency\\": 8, } ]",
  "settings": {
    "concurrency": 8,   "deterministic": true,
    "subBatchSize" : 1e3
  },
  "loads": [{ "files": ["a.csv"], "table": "t", "key": ["settings"] }]
}
`;

describe('setMembers', () => {
  test('replaces a value in its place, and leaves every other character', () => {
    expect(setMembers(JOB, 'settings', { concurrency: 4, subBatchSize: 5_000 })).toBe(
      JOB.replace('8,   ', '4,   ').replace('1e3', '5000'),
    );
  });

  test('adds what is missing as the member before it stands', () => {
    expect(setMembers(JOB, 'settings', { chunkSize: 50_000 })).toBe(
      JOB.replace('1e3\n', '1e3,\n    "chunkSize" : 50000\n'),
    );
    expect(setMembers('{"a":1}', 'settings', { x: 1, y: 2 })).toBe(
      '{"a":1,"settings":{ "x": 1, "y": 2 }}',
    );
    expect(setMembers('{ "settings": {} }', 'settings', { x: 1, y: 2 })).toBe(
      '{ "settings": { "x": 1, "y": 2 } }',
    );
    expect(setMembers('\uFEFF{\r\n\t"a": []\r\n}\r\n', 'settings', { x: 1 })).toBe(
      '\uFEFF{\r\n\t"a": [],\r\n\t"settings": { "x": 1 }\r\n}\r\n',
    );
  });

  test('changes the members and nothing else, in any document', () => {
    const key = fc.oneof(fc.constantFrom('x', 'y', 'settings', '"{', '\\'), fc.string());
    const object = fc.dictionary(key, fc.jsonValue());
    const values = fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.integer());
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.jsonValue()),
        fc.option(object),
        values,
        fc.constantFrom(undefined, 2, '\t'),
        (root, settings, changes, indent) => {
          const document: Record<string, unknown> = { ...root, settings };
          if (settings === null) delete document['settings'];
          const text = JSON.stringify(document, null, indent);
          const edited = setMembers(text, 'settings', changes);
          const nothing = Object.keys(changes).length === 0;
          expect(JSON.parse(edited)).toEqual(
            JSON.parse(
              JSON.stringify(
                nothing ? document : { ...document, settings: { ...settings, ...changes } },
              ),
            ),
          );
        },
      ),
    );
  });
});

describe('lineDiff', () => {
  test('shows what went and what came, with lines around it', () => {
    expect(lineDiff('a\nb\nc\nd\ne\nf\ng\n', 'a\nb\nc\nX\ne\nY\nZ\ng\n')).toBe(
      '  b\n  c\n- d\n+ X\n  e\n- f\n+ Y\n+ Z\n  g\n\n',
    );
    expect(lineDiff('same', 'same')).toBe('');
  });

  test('holds both texts', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const [old, now] = [before.join('\n'), after.join('\n')];
        const diff = lineDiff(old, now).split('\n').slice(0, -1);
        const of = (mark: string) =>
          diff.filter((line) => !line.startsWith(mark)).map((line) => line.slice(2));
        expect(old).toContain(of('+').join('\n'));
        expect(now).toContain(of('-').join('\n'));
      }),
    );
  });
});

describe('applyRecommendation', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etl-apply-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('writes the file anew with its mode, tells the change, and leaves nothing beside it', async () => {
    const path = join(folder, 'prod.json');
    await writeFile(path, JOB);
    await chmod(path, 0o640);
    const applied = await applyRecommendation(path, { settings: { concurrency: 2 } });
    expect(applied).toEqual({
      changed: true,
      diff: [
        `    "description": "settings: \\"concurrency\\": 8, } ]",`,
        `    "settings": {`,
        `-     "concurrency": 8,   "deterministic": true,`,
        `+     "concurrency": 2,   "deterministic": true,`,
        `      "subBatchSize" : 1e3`,
        `    },`,
        '',
      ].join('\n'),
    });
    expect(await readFile(path, 'utf8')).toBe(JOB.replace('8,   ', '2,   '));
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await readdir(folder)).toEqual(['prod.json']);
  });

  test('touches nothing where nothing changes', async () => {
    const path = join(folder, 'prod.json');
    await writeFile(path, JOB);
    const { ino } = await stat(path);
    for (const settings of [{}, { concurrency: 8 }]) {
      expect(await applyRecommendation(path, { settings })).toEqual({ changed: false, diff: '' });
    }
    expect((await stat(path)).ino).toBe(ino);
  });

  test('follows a link', async () => {
    await writeFile(join(folder, 'real.json'), JOB);
    await symlink('real.json', join(folder, 'link.json'));
    await applyRecommendation(join(folder, 'link.json'), { settings: { concurrency: 3 } });
    expect((await lstat(join(folder, 'link.json'))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(folder, 'real.json'), 'utf8')).toContain('"concurrency": 3,');
  });

  test('says why it cannot', async () => {
    const missing = applyRecommendation(join(folder, 'none.json'), {
      settings: { concurrency: 3 },
    });
    await expect(missing).rejects.toMatchObject({ code: 'ETL_USAGE' });
  });
});
