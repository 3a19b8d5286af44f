import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';
import { ROOMS } from '../../tools/tidy/rules.ts';

/** What the documents say of the code, checked against the code. */
const root = new URL('../../', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const readme = textOf('README.md');
const pages = readdirSync(new URL('docs/', root)).map((name) => `docs/${name}`);
const manifest = JSON.parse(textOf('package.json')) as {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
};

/** Paths of this repository that a document names in code or links to; patterns are left out. */
function pathsIn(markdown: string): string[] {
  const named = [...markdown.matchAll(/`([^`\n]+)`|\]\(([^)\s]+)\)/g)].map(
    ([, code, link]) => code ?? link ?? '',
  );
  const isPath = /^(?:\.?[\w-]+\/)*(?:[\w.-]+\.(?:ts|js|json|md)|[\w.-]+\/)$/;
  return named.filter((word) => isPath.test(word));
}

describe('README.md', () => {
  test('takes five minutes: what comes before the tables of settings is short', () => {
    const [before = ''] = readme.split('<!-- settings -->');
    const prose = before.replaceAll(/```[^`]*```/g, '');
    expect(prose.split(/\s+/).length).toBeLessThan(2_500);
  });

  test('and docs/errors.md lists each error code with its exit code, and no other', () => {
    const rows = [
      ...textOf('docs/errors.md').matchAll(/^\| `(ETL_\w+)` \| (\d+) \| (.+) \| (.+) \|$/gm),
    ];
    const listed = rows.map(([, code, exitCode]) => [code, Number(exitCode)]);
    expect(listed).toEqual(Object.entries(ERROR_CODES));
  });

  test('leads to every page of docs, and each link leads somewhere', () => {
    for (const page of pages) expect(readme).toContain(`](${page})`);
    for (const page of ['README.md', ...pages]) {
      const from = new URL(page, root);
      const links = [...textOf(page).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)];
      const lost = links.filter(([, link = '']) => !existsSync(new URL(link, from)));
      expect([page, lost.map(([, link]) => link)]).toEqual([page, []]);
    }
  });

  test('names no code that there is not', () => {
    const named = new Set(readme.match(/\bETL_[A-Z_]+\b/g));
    const variables = readme.match(/`ETL_[A-Z_]+` \| `--/g)?.map((word) => word.split('`')[1]);
    const others = [...named].filter(
      (name) => !(name in ERROR_CODES) && variables?.includes(name) !== true,
    );
    expect(others).toEqual(['ETL_EMBEDDED_DIR']);
  });

  test('begins with the two commands of a fresh machine', () => {
    const [first = ''] = /```sh\n([^`]*)```/.exec(readme)?.slice(1) ?? [];
    expect(first).toBe('npm ci && npm run demo\nnpm test\n');
    for (const script of ['demo', 'test']) expect(manifest.scripts).toHaveProperty(script);
  });
});

describe.each([
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'PARALLEL_UPSERT_ANALYSIS.md',
  'docs/security.md',
])('%s', (name) => {
  const paths = pathsIn(textOf(name));

  test('names paths at all, and only such as there are', () => {
    expect(paths.length).toBeGreaterThan(2);
    // The last two are made by npm ci and by the build.
    const missing = paths.filter(
      (path) => !existsSync(new URL(path, root)) && !/^(?:node_modules|dist)\//.test(path),
    );
    expect(missing).toEqual([]);
  });

  test('names scripts of package.json that there are', () => {
    const scripts = [...textOf(name).matchAll(/npm run (?:--\S+ )?([\w:]+)/g)].map(
      ([, script]) => script ?? '',
    );
    expect(scripts.filter((script) => !(script in manifest.scripts))).toEqual([]);
  });
});

test("ARCHITECTURE.md has the rooms in the house's order", () => {
  const table = textOf('ARCHITECTURE.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const named = table.flatMap((line) => line.split('|')[1]?.match(/[\w./-]+/g) ?? []);
  const rooms = named.map((path) => path.replace(/\/$/, ''));
  const known: readonly string[] = ROOMS;
  expect(rooms.filter((path) => path.startsWith('src/') || known.includes(path))).toEqual(ROOMS);
});

test('CHANGELOG.md has the version of the package, or what is not released yet', () => {
  const heads = [...textOf('CHANGELOG.md').matchAll(/^## \[([^\]]+)\]/gm)].map(([, head]) => head);
  expect(heads).not.toEqual([]);
  expect(['Unreleased', manifest.version]).toContain(heads[0]);
});

test('.ci/run installs by the lock file and runs what the README says', () => {
  const lines = textOf('.ci/run').split('\n');
  expect(lines[0]).toBe('#!/usr/bin/env bash');
  expect(lines).toEqual(expect.arrayContaining(['set -euo pipefail', 'npm ci', 'npm test']));
});

test('all that the package is said to hold is there, and the command is its door', () => {
  const made = manifest.files.filter((path) => path !== 'dist' && !path.startsWith('!'));
  expect(made.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  expect(manifest.bin).toEqual({ etl: 'dist/src/cli/main.js' });
  expect(existsSync(new URL('src/cli/main.ts', root))).toBe(true);
});
