import { EtlError } from '../errors.ts';
import { didYouMean } from '../job/nearest-name.ts';
import type { LoadRequest } from '../job/schema.ts';
import type { KeptAs } from '../target/compressions.ts';
import type { TargetColumn } from '../target/table.ts';
import { matchName } from './match-name.ts';
import type { Catalog } from './plan-context.ts';

/** By the column's name; the others are kept as the server keeps them where nobody says. */
export type Compressions = ReadonlyMap<string, KeptAs>;

export type Asked = LoadRequest['compression'][string];

/** Types whose values are all of one size, which no server compresses. */
const OF_ONE_SIZE =
  /^(?:bool|int[248]|float[48]|money|oid|date|time|timetz|timestamp|timestamptz|interval|uuid)$/;

/**
 * How the large values of a table that is to be created are kept: as the job says, and contents of
 * documents by LZ4 where the server has it. `fast` is what costs the server least: LZ4, and nothing
 * where it has none (its own pglz takes five times the CPU of LZ4, measured in the data lake's README).
 */
export async function chooseCompressions(
  asked: LoadRequest['compression'],
  columns: readonly TargetColumn[],
  { contents, sqlName }: { readonly contents: ReadonlySet<string>; readonly sqlName: string },
  catalog: Pick<Catalog, 'compressions'>,
): Promise<Compressions> {
  const chosen = new Map<string, Asked>();
  for (const [wanted, compression] of Object.entries(asked)) {
    chosen.set(columnToCompress(wanted, columns, sqlName).name, compression);
  }
  const open = columns.filter(({ name, type }) => {
    return contents.has(name) && !chosen.has(name) && !isOfOneSize(type);
  });
  const wantsLz4 = [...chosen.values()].some((method) => method === 'lz4' || method === 'fast');
  const hasLz4 = (open.length > 0 || wantsLz4) && (await catalog.compressions()).includes('lz4');
  const methods = new Map<string, KeptAs>();
  for (const [column, compression] of chosen) {
    if (compression === 'lz4' && !hasLz4) throw withoutLz4(column, sqlName);
    methods.set(column, methodOf(compression, hasLz4));
  }
  if (hasLz4) for (const { name } of open) methods.set(name, 'lz4');
  return methods;
}

export function methodOf(asked: Asked, hasLz4: boolean): KeptAs {
  if (asked !== 'fast') return asked;
  return hasLz4 ? 'lz4' : 'none';
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
    'Write fast (uncompressed where there is no LZ4) or pglz (small and slow), or leave the column out.',
    { table, column },
  );
}
