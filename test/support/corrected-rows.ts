import { readFile, writeFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import type { OracleFile, OracleRow } from '../../tools/oracle.ts';
import type { BadRow } from './random-bad-rows.ts';
import { csvOf, type RandomColumn, type RandomLoad } from './random-load.ts';

/** A random load whose files bring all columns: others cannot be corrected in their place. */
export function withWholeFiles(random: RandomLoad): RandomLoad {
  const all = [...random.key, ...random.values].map(({ name }) => name);
  const files = random.files.map(({ columns, rows }) => ({
    columns: all,
    rows: rows.map((row) => all.map((name) => row[columns.indexOf(name)] ?? null)),
  }));
  return { ...random, files };
}

/** A good row, made of the columns' pools by a number. */
export function goodRow({ key, values }: RandomLoad, seed: number): OracleRow {
  return [...key, ...values].map(({ pool }: RandomColumn, place) => {
    const at = Math.floor(seed / (place + 1)) + place * 5;
    return pool[at % pool.length] ?? null;
  });
}

/** The rows of a file with bad ones in between, in order: a row, or the number of a bad one. */
export function sequenceOf(
  file: OracleFile,
  bad: readonly BadRow[],
): readonly (OracleRow | number)[] {
  const numbered = bad.map(({ before }, number) => ({ before, number }));
  const at = (index: number): number[] =>
    numbered.filter(({ before }) => before === index).map(({ number }) => number);
  const behind = numbered.filter(({ before }) => before >= file.rows.length);
  return [
    ...file.rows.flatMap((row, index) => [...at(index), row]),
    ...behind.map(({ number }) => number),
  ];
}

/**
 * Writes into a reject file what `correction` gives for a record (its number in the file, from 1);
 * null leaves the row as it is. Resolves to the records that were corrected.
 */
export async function correctRejects(
  path: string,
  columns: readonly string[],
  correction: (record: number) => OracleRow | null,
): Promise<number[]> {
  const [header = [], ...rows] = parse(await readFile(path, 'utf8'), {
    cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
  }) as unknown as (string | null)[][];
  const own = header.length - columns.length;
  const corrected: number[] = [];
  const cells = rows.map((row) => {
    const row2 = correction(Number(row[0]));
    if (row2 === null) return row;
    corrected.push(Number(row[0]));
    return [...row.slice(0, own), ...row2];
  });
  await writeFile(path, csvOf({ columns: header.map(String), rows: cells }));
  return corrected;
}
