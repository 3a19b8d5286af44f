import { resolve } from 'node:path';
import ts from 'typescript';
import { checkTypes } from './affected-files.ts';
import { readTree } from './file-tree.ts';

/**
 * A step of `npm run check`, as a process: types, and lint by the types, of the files that changes
 * since the last good check can affect.
 *
 *     node --import tsx tools/check/types-and-lint.ts <file for what it remembers>
 *
 * One program for both: the types that tsc works out are most of what the lint rules ask for.
 */
const [buildInfoPath = ''] = process.argv.slice(2);
const types = checkTypes(resolve('tsconfig.json'), resolve(buildInfoPath));
const wrong = ts.formatDiagnosticsWithColorAndContext(types.problems, {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => process.cwd(),
  getNewLine: () => '\n',
});
const lint = await lintProblems();
process.stdout.write(wrong + lint);
// What is not remembered is looked at again: a file stays affected until both are content.
if (wrong === '' && lint === '') types.remember();
else process.exitCode = 1;

async function lintProblems(): Promise<string> {
  const known = new Set(types.program.getSourceFiles().map(({ fileName }) => fileName));
  const affected = new Set(types.affected);
  // A file outside of the project is shown to ESLint, which says so.
  const files = [...readTree('.').keys()]
    .filter((path) => path.endsWith('.ts'))
    .map((path) => resolve(path))
    .filter((path) => affected.has(path) || !known.has(path));
  if (files.length === 0) return '';
  const { ESLint } = await import('eslint');
  const eslint = new ESLint({
    overrideConfig: { languageOptions: { parserOptions: { programs: [types.program] } } },
    warnIgnored: false,
  });
  const results = await eslint.lintFiles(files);
  const formatter = await eslint.loadFormatter('stylish');
  return formatter.format(results);
}
