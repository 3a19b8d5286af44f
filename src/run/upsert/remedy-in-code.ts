import type { ErrorRecord } from '../../errors.ts';

/**
 * An error of a load, as a program that gave its rows is to read it: the engine speaks of files and of
 * flags, and here there are rows, and fields of the target.
 */
export function inCode(record: ErrorRecord): ErrorRecord {
  return { ...record, sentence: ofRows(record.sentence), remedy: ofRows(asFields(record.remedy)) };
}

function asFields(text: string): string {
  return text
    .replaceAll(/--columns '([^'=]*)='/g, (_, name: string) => columnsField(name, 'null'))
    .replaceAll(/--columns '([^'=]*)=([^'=]*)'/g, (_, name: string, column: string) =>
      columnsField(name, JSON.stringify(column)),
    )
    .replaceAll(/--(on-conflict|on-error|strategy) ([a-z-]+)/g, (_, flag: string, value: string) =>
      asSetting(flag, `: '${value}'`),
    )
    .replaceAll(/--([a-z][a-z-]*)/g, (_, flag: string) => asSetting(flag, ''));
}

function columnsField(name: string, column: string): string {
  return `columns: { ${JSON.stringify(name)}: ${column} }`;
}

/** Fields of a load; all else that a job says is among its settings. */
const OF_LOAD = new Set([
  ...['columns', 'key', 'onConflict', 'strategy', 'types', 'versionColumn', 'insertOnly'],
  ...['compare', 'createTable', 'compression', 'transform'],
]);

function asSetting(flag: string, value: string): string {
  const name = flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return OF_LOAD.has(name) ? `${name}${value}` : `settings: { ${name}${value} }`;
}

function ofRows(text: string): string {
  return text
    .replaceAll('Correct the value in the file', 'Correct the value')
    .replaceAll(/\bfile's columns\b|\bfiles' columns\b/g, "rows' columns")
    .replaceAll('of the file goes', 'of the rows goes');
}
