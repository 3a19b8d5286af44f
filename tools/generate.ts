import { parseArgs } from 'node:util';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { columnsOf } from '../benchmarks/generate/columns.ts';
import { digestOf, rowsAfter, rowsBefore } from '../benchmarks/generate/expected-rows.ts';
import { distinctKeys, shapeOf } from '../benchmarks/generate/shape.ts';
import { writeFiles } from '../benchmarks/generate/write-files.ts';
import { chooseScenarios, readScenarios } from '../benchmarks/scenarios.ts';

/**
 * Writes the files of a benchmark's scenario, and beside them answer.json, which knows the table
 * before and after as SQL:
 *
 *     npx tsx tools/generate.ts --scenario six-files-half --rows 1000000 --output data
 */
const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    rows: { type: 'string' },
    'table-rows': { type: 'string' },
    seed: { type: 'string', default: '1' },
    output: { type: 'string' },
  },
});
if (values.scenario === undefined || values.output === undefined) {
  throw new Error('--scenario NAME and --output DIR are needed.');
}
const [chosen] = chooseScenarios(await readScenarios(), 'standard', [values.scenario]);
if (chosen === undefined) throw new Error('A scenario is needed.');
const { scenario } = chosen;
const shape = shapeOf(
  scenario,
  wholeNumber('rows', values.rows) ?? chosen.rows,
  wholeNumber('table-rows', values['table-rows']) ?? chosen.tableRows,
  wholeNumber('seed', values.seed) ?? 1,
);
const folder = resolve(values.output);
const files = await writeFiles(shape, scenario.formats, folder, new AbortController().signal);
const columns = columnsOf(scenario);
const answer = {
  scenario: scenario.name,
  rows: shape.rows,
  files: shape.files,
  distinctKeys: distinctKeys(shape),
  columns: columns.map(({ name, sqlType, key }) => ({ name, sqlType, key })),
  rowsBefore: rowsBefore(shape),
  rowsAfter: rowsAfter(shape),
  digestAfter: digestOf(
    rowsAfter(shape),
    columns.map(({ name }) => name),
  ),
};
await writeFile(join(folder, 'answer.json'), `${JSON.stringify(answer, null, 2)}\n`);
console.log(`${shape.rows} rows in ${files.paths.length} files, ${files.bytes} bytes: ${folder}`);

function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`--${flag} is a whole number.`);
  return Number(text);
}
