import { describe, expect, it } from 'vitest';
import { parsePathPattern, type PathPattern } from '../../../src/job/path-pattern.ts';

function pattern(text: string): PathPattern {
  const parsed = parsePathPattern(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

describe('a path pattern', () => {
  it.each<[string, string, readonly string[] | null]>([
    ['{id}_{level}.html', '/lake/7_pro.html', ['7', 'pro']],
    ['{id}_{level}.html', '/lake/1_2_3.html', ['1', '2_3']],
    ['{id}.html', '/lake/7.html.gz', null],
    ['{id}.html', '/lake/.html', null],
    ['{id}.html', '/lake/7_html', null],
    ['{year}/{id}.html', '/lake/2024/7.html', ['2024', '7']],
    ['{year}/{id}.html', '/7.html', null],
    ['pages/{id}.html', '/lake/pages/7.html', ['7']],
    ['pages/{id}.html', '/lake/old-pages/7.html', null],
    ['./pages/{id}.html', '/lake/pages/7.html', ['7']],
    ['/lake/{id}.html', '/lake/7.html', ['7']],
    ['/lake/{id}.html', '/more/lake/7.html', null],
    ['{file}', '/lake/a b (1)+.txt', ['a b (1)+.txt']],
    ['a.b+{id}[1].(x)', '/lake/a.b+7[1].(x)', ['7']],
    ['a.b+{id}', '/lake/aXbb7', null],
    ['{línea}_ß', '/lake/ä\n1_ß', ['ä\n1']],
  ])('%s at the end of %s', (text, path, values) => {
    expect(pattern(text).match(path)).toEqual(values);
  });

  it('names its placeholders in order', () => {
    expect(pattern('{year}/x{id}_{level}.html').names).toEqual(['year', 'id', 'level']);
  });

  it.each([
    ['pages/*.html', 'it has no placeholder such as {id}'],
    [
      '{id}{level}.html',
      'between {id} and the placeholder behind it stands nothing that tells them apart',
    ],
    ['{id}_{id}.html', '{id} comes twice'],
    ['{}.html', '{} is no name'],
    ['{ id}.html', '{ id} is no name'],
    ['{id.html', 'a brace stands alone'],
    ['{a/b}.html', 'a brace stands alone'],
  ])('refuses %s', (text, problem) => {
    expect(parsePathPattern(text)).toBe(problem);
  });
});
