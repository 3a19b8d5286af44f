import fc from 'fast-check';
import type { OracleFile } from '../../tools/oracle.ts';
import type { RandomColumn, RandomLoad } from './random-load.ts';

/** What the files of a random load are written as, by place; most are CSV. */
export const randomFormats: fc.Arbitrary<readonly RandomFormat[]> = fc.oneof(
  fc.constant([]),
  fc.array(fc.constantFrom<RandomFormat>('csv', 'json', 'jsonl'), { minLength: 7, maxLength: 7 }),
);
export type RandomFormat = 'csv' | 'json' | 'jsonl';

/** A file without rows tells no columns, so it is CSV. */
export function formatOf(
  { files }: RandomLoad,
  formats: readonly RandomFormat[],
  place: number,
): RandomFormat {
  return files[place]?.rows.length === 0 ? 'csv' : (formats[place] ?? 'csv');
}

/**
 * The load as its files say it once some are JSON: these bring the columns of all JSON files, NULL
 * where a record has no such field; and JSON's own null is NULL.
 */
export function asJsonSaysIt(load: RandomLoad, formats: readonly RandomFormat[]): RandomLoad {
  const isJson = (place: number): boolean => formatOf(load, formats, place) !== 'csv';
  const all = [...new Set(load.files.flatMap((file, at) => (isJson(at) ? file.columns : [])))];
  const ofJson = new Set(load.values.filter(isOfJson).map(({ name }) => name));
  const files = load.files.map((file, place): OracleFile => {
    if (!isJson(place)) return file;
    const rows = file.rows.map((row) =>
      all.map((name) => {
        const value = row[file.columns.indexOf(name)] ?? null;
        return value === 'null' && ofJson.has(name) ? null : value;
      }),
    );
    return { columns: all, rows };
  });
  return { ...load, files };
}

/** Numbers as numbers, JSON as JSON, all else as strings; a null is left out now and then. */
export function jsonOf(load: RandomLoad, file: OracleFile, format: 'json' | 'jsonl'): string {
  const types = new Map([...load.key, ...load.values].map((column) => [column.name, column]));
  const records = file.rows.map((row, at) => {
    const members = file.columns.flatMap((name, place) => {
      const value = row[place] ?? null;
      if (value === null && at % 2 === 1) return [];
      return [`${JSON.stringify(name)}: ${spelled(types.get(name), value)}`];
    });
    return `{${members.join(',')}}`;
  });
  return format === 'json' ? `[\n${records.join(',\n')}]` : `${records.join('\n')}\n`;
}

function spelled(column: RandomColumn | undefined, value: string | null): string {
  if (value === null) return 'null';
  if (column !== undefined && isOfJson(column)) return value;
  const isNumber = /^(?:bigint|integer|numeric|double)/.test(column?.sqlType ?? '');
  return isNumber && /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e\d+)?$/.test(value)
    ? value
    : JSON.stringify(value);
}

function isOfJson({ sqlType }: RandomColumn): boolean {
  return sqlType === 'json' || sqlType === 'jsonb';
}
