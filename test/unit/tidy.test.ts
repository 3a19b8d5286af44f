import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSources, type SourceText } from '../../tools/tidy/read-sources.ts';
import {
  cycleProblems,
  LIBRARY_ROOMS,
  libraryProblems,
  nameProblems,
  orderProblems,
  sizeProblems,
} from '../../tools/tidy/rules.ts';

const root = new URL('../../', import.meta.url).pathname;
const house = readSources(root, ['src', 'workers', 'benchmarks']);
const all = [...house, ...readSources(root, ['tools', 'test'])];

describe('the house', () => {
  it('is read at all', () => {
    expect(house.length).toBeGreaterThan(50);
    expect(house.flatMap((source) => source.imports).length).toBeGreaterThan(200);
  });

  it('imports downwards only', () => {
    expect(orderProblems(house)).toEqual([]);
  });

  it('has no cycle of imports', () => {
    expect(cycleProblems(house)).toEqual([]);
  });

  it('gives each outside library one room', () => {
    expect(libraryProblems(house)).toEqual([]);
  });

  it('depends on what it imports, and on nothing else', () => {
    const { dependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const imported = new Set(house.flatMap((source) => source.imports));
    expect(Object.keys(LIBRARY_ROOMS).filter((name) => !imported.has(name))).toEqual([]);
    expect(Object.keys(LIBRARY_ROOMS).filter((name) => !(name in dependencies))).toEqual([]);
  });

  it('keeps files small and named after one concept', () => {
    expect(sizeProblems(house)).toEqual([]);
    expect(nameProblems(all)).toEqual([]);
  });
});

describe('the rules', () => {
  const file = (path: string, ...imports: string[]): SourceText => ({
    path,
    imports,
    text: '',
    lines: 301,
  });

  it('notice what breaks them', () => {
    expect(orderProblems([file('src/plan/a.ts', 'src/run/b.ts')])).toHaveLength(1);
    expect(orderProblems([file('src/run/b.ts', 'src/plan/a.ts')])).toEqual([]);
    expect(libraryProblems([file('src/plan/a.ts', 'pg')])).toHaveLength(1);
    expect(libraryProblems([file('src/plan/a.ts', 'left-pad')])).toHaveLength(1);
    expect(sizeProblems([file('src/plan/a.ts')])).toHaveLength(1);
    expect(nameProblems([file('src/plan/utils.ts'), file('src/plan/MyFile.ts')])).toHaveLength(2);
    const loop = [file('a.ts', 'b.ts'), file('b.ts', 'c.ts'), file('c.ts', 'a.ts')];
    expect(cycleProblems(loop)).toEqual(['a.ts → b.ts → c.ts → a.ts']);
  });
});
