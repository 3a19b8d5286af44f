import { EtlError } from '../errors.ts';
import { didYouMean } from '../job/nearest-name.ts';
import type { LoadRequest } from '../job/schema.ts';
import type { TargetColumn } from '../target/table.ts';
import { matchName } from './match-name.ts';
import type { Catalog } from './plan-context.ts';

/** By the column's name; the others are kept as the server keeps them where nobody says. */
export type Compressions = ReadonlyMap<string, 'lz4' | 'pglz' | 'none'>;

/** Types whose values are all of one size, which no server compresses. */
const OF_ONE_SIZE =
  /^(?:bool|int[248]|float[48]|money|oid|date|time|timetz|timestamp|timestamptz|interval|uuid)$/;

/**
 * How the large values of a table that is to be created are kept: as the job says, and contents of
 * documents by LZ4 where the server has it.
 */
export async function chooseCompressions(
  asked: LoadRequest['compression'],
  columns: readonly TargetColumn[],
  { contents, sqlName }: { readonly contents: ReadonlySet<string>; readonly sqlName: string },
  catalog: Pick<Catalog, 'compressions'>,
): Promise<Compressions> {
  const chosen = new Map<string, 'lz4' | 'pglz' | 'none'>();
  for (const [wanted, compression] of Object.entries(asked)) {
    chosen.set(columnToCompress(wanted, columns, sqlName).name, compression);
  }
  const open = columns.filter(({ name, type }) => {
    return contents.has(name) && !chosen.has(name) && !isOfOneSize(type);
  });
  const wantsLz4 = open.length > 0 || [...chosen.values()].includes('lz4');
  if (!wantsLz4) return chosen;
  const hasLz4 = (await catalog.compressions()).includes('lz4');
  for (const [column, compression] of chosen) {
    if (compression === 'lz4' && !hasLz4) throw withoutLz4(column, sqlName);
  }
  if (hasLz4) for (const { name } of open) chosen.set(name, 'lz4');
  return chosen;
}

function columnToCompress(
  wanted: string,
  columns: readonly TargetColumn[],
  table: string,
): TargetColumn {
  const names = columns.map(({ name }) => name);
  const name = matchName(wanted, names);
  const column = columns.find((one) => one.name === name);
  if (column === undefined) {
    throw new EtlError(
      'ETL_COLUMN_MISSING',
      `${table} will have no column "${wanted}", which compression names.${didYouMean(wanted, names)}`,
      `The columns: ${names.join(', ')}.`,
      { table, column: wanted },
    );
  }
  if (!isOfOneSize(column.type)) return column;
  throw new EtlError(
    'ETL_JOB_INVALID',
    `Values of ${column.name} (${column.type.declared}) are all of one size and never compressed.`,
    `Leave ${wanted} out of compression.`,
    { table, column: column.name },
  );
}

function isOfOneSize({ kind, typeName }: TargetColumn['type']): boolean {
  return kind === 'enum' || OF_ONE_SIZE.test(typeName);
}

function withoutLz4(column: string, table: string): EtlError {
  return new EtlError(
    'ETL_JOB_INVALID',
    `The server is built without LZ4, by which compression wants ${column} to be kept.`,
    'Write pglz (small and slow) or none (fast and large), or leave the column out.',
    { table, column },
  );
}
