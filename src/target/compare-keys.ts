import { LIMITS } from '../limits.ts';
import { comparable, rowHash, shownValue, targetRows, type Difference } from './compared-rows.ts';
import type { Connection, Row } from './connect.ts';
import { literal } from './names.ts';
import { keyOf, referenceColumn, type Reference, type ReferenceColumn } from './reference.ts';

/** What may differ without being a difference, since rows that were there before may explain it. */
export interface Tolerance {
  /** `ignore`: any values of a key that is there. */
  readonly kept: boolean;
  /** `newest`: values of a row that is newer by one of these columns. */
  readonly newerBy: readonly string[];
  /** Rows whose key is in no file. */
  readonly others: boolean;
}

export interface KeyComparison {
  readonly keys: number;
  readonly ranges: number;
  /** Ranges of which the hashes were not equal, or not asked for, so that they were joined. */
  readonly rangesJoined: number;
  readonly missing: number;
  readonly extra: number;
  readonly changed: number;
  readonly kept: number;
  readonly newer: number;
  /** The first, in the order of the key. */
  readonly differences: readonly Difference[];
}

interface Comparing {
  readonly connection: Connection;
  readonly table: { readonly schema: string; readonly name: string };
  readonly reference: Reference;
  readonly tolerance: Tolerance;
}

/** A range of keys as conditions on rows of the reference and of the table. */
interface Range {
  readonly ofReference: string;
  readonly ofTable: string;
}

/**
 * Compares by ranges of 100,000 keys. Of a range both sides are hashed by themselves (count and sum
 * of the hashes of the rows); only where that differs they are joined. A million rows of 8 columns:
 * 1.4 s by hash, 2.0 s by join, and 3.8 s where whole rows are hashed as text. Hashing cannot help
 * where the table has many other rows, or columns are compared in some rows only: then ranges are
 * joined at once.
 */
export async function compareKeys(
  comparing: Comparing,
  options: {
    readonly tableRows: number;
    readonly rangeKeys: number;
    readonly signal: AbortSignal;
  },
): Promise<KeyComparison> {
  const { connection, reference, tolerance } = comparing;
  const [counted] = await connection.query(`select count(*) as keys from ${reference.sqlName}`);
  const keys = Number(counted?.['keys']);
  const whole = reference.columns.every((column) => column.mark === null);
  const hashes = whole && (!tolerance.others || options.tableRows <= keys * OTHERS_SHARE_MAX);
  const ranges = await keyRanges(comparing, options.rangeKeys);
  const sums = { missing: 0, extra: 0, changed: 0, kept: 0, newer: 0 };
  const differences: Difference[] = [];
  let rangesJoined = 0;
  for (const range of ranges) {
    options.signal.throwIfAborted();
    if (hashes && (await equalByHash(comparing, range))) continue;
    rangesJoined += 1;
    const counts = await countKinds(comparing, range);
    for (const kind of KINDS) sums[kind] += counts.get(kind) ?? 0;
    const room = LIMITS.verifyDifferencesMax - differences.length;
    if (DIFFERENT.some((kind) => counts.has(kind)) && room > 0) {
      differences.push(...(await listDifferences(comparing, range, room)));
    }
  }
  return { keys, ranges: ranges.length, rangesJoined, ...sums, differences };
}

/** Rows of the table per key of the files up to which a range may well have no other rows. */
const OTHERS_SHARE_MAX = 1.5;

const KINDS = ['missing', 'extra', 'changed', 'kept', 'newer'] as const;
const DIFFERENT = ['missing', 'extra', 'changed'] as const;

/** They cover all keys there can be, the table's as well: the first and the last have one bound. */
async function keyRanges(
  { connection, reference, tolerance }: Comparing,
  rangeKeys: number,
): Promise<Range[]> {
  const key = reference.columns.slice(0, reference.keyColumns);
  const names = keyOf(reference).join(', ');
  const bounds = await connection.query(
    `select ${key.map(({ name }) => `${name}::text`).join(', ')}
       from (select ${names}, row_number() over (order by ${names}) as place
               from ${reference.sqlName}) k
      where place > 1 and place % ${rangeKeys} = 1 order by place`,
  );
  const tuple = (parts: readonly string[]): string =>
    parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(', ')})`;
  const ofRow = tuple(key.map(({ name }) => name));
  const ofBound = (row: Row): string =>
    tuple(key.map(({ name, target }) => `${literal(String(row[name]))}::${target.type.cast}`));
  const present = key.map(({ name }) => `${name} is not null`).join(' and ');
  const ranges = [null, ...bounds].map((low, place) => {
    const high = bounds[place];
    const inside = [
      ...(low === null ? [] : [`${ofRow} >= ${ofBound(low)}`]),
      ...(high === undefined ? [] : [`${ofRow} < ${ofBound(high)}`]),
      present,
    ].join(' and ');
    return { ofReference: inside, ofTable: inside };
  });
  // The columns of a unique key may be null, but no file has such a key.
  if (tolerance.others || key.every(({ target }) => target.notNull)) return ranges;
  return [...ranges, { ofReference: 'false', ofTable: `not (${present})` }];
}

async function equalByHash(
  { connection, table, reference }: Comparing,
  range: Range,
): Promise<boolean> {
  const sum = (rows: string): string =>
    `select count(*) as rows, coalesce(sum(${rowHash(reference.columns, 'x')}), 0) as hash
       from (${rows}) x`;
  const ofReference = `select * from ${reference.sqlName} where ${range.ofReference}`;
  const ofTable = `select * from (${targetRows(table, reference)}) t where ${range.ofTable}`;
  const [row] = await connection.query(
    `select r.rows = t.rows and r.hash = t.hash as equal
       from (${sum(ofReference)}) r, (${sum(ofTable)}) t`,
  );
  return row?.['equal'] === true;
}

async function countKinds(
  comparing: Comparing,
  range: Range,
): Promise<ReadonlyMap<string, number>> {
  const sql = `select kind, count(*) as count from (${joinedSql(comparing, range, [])}) j
                where kind <> 'equal' group by kind`;
  const rows = await comparing.connection.query(sql);
  return new Map(rows.map((row) => [String(row['kind']), Number(row['count'])]));
}

async function listDifferences(
  comparing: Comparing,
  range: Range,
  limit: number,
): Promise<Difference[]> {
  const { connection, reference } = comparing;
  const { columns } = reference;
  const key = columns.slice(0, reference.keyColumns);
  const fields = [
    `array[${columns.map((column) => shownValue(column, 'r')).join(', ')}] as reference`,
    `array[${columns.map((column) => shownValue(column, 't')).join(', ')}] as table_values`,
    `array[${columns.map((column) => differs([column])).join(', ')}] as differing`,
    ...key.map(({ name }) => `coalesce(r.${name}, t.${name}) as ${name}`),
  ];
  const rows = await connection.query(
    `select kind, reference, table_values, differing
       from (${joinedSql(comparing, range, fields)}) j
      where kind in (${DIFFERENT.map(literal).join(', ')})
      order by ${keyOf(reference).join(', ')} limit ${limit}`,
  );
  return rows.map((row) => differenceOf(row, reference));
}

/** Rows of both sides by their key, each with its kind. */
function joinedSql(
  { table, reference, tolerance }: Comparing,
  range: Range,
  fields: readonly string[],
): string {
  const newer = tolerance.newerBy.map((name) => {
    const { name: version } = referenceColumn(reference, name);
    return `t.${version} is not null and (r.${version} is null or t.${version} > r.${version})`;
  });
  const on = keyOf(reference).map((name) => `r.${name} = t.${name}`);
  return `
select case when t.there is null then 'missing'
            when r.there is null then 'extra'
            when not (${differs(reference.columns)}) then 'equal'
            ${tolerance.kept ? "when true then 'kept'" : ''}
            ${newer.map((condition) => `when ${condition} then 'newer'`).join('\n')}
            else 'changed' end as kind${fields.map((field) => `, ${field}`).join('')}
  from (select true as there, * from ${reference.sqlName} where ${range.ofReference}) r
  ${tolerance.others ? 'left' : 'full'} join
       (select true as there, * from (${targetRows(table, reference)}) t
         where ${range.ofTable}) t on ${on.join(' and ')}`;
}

/** Whether the rows differ in one of these columns, as far as a file brought it. */
function differs(columns: readonly ReferenceColumn[]): string {
  const side = (row: string): string => {
    const values = columns.map((column) => {
      const value = comparable(column, row);
      return column.mark === null ? value : `case when r.${column.mark} then ${value} end`;
    });
    return `row(${values.join(', ')})::record`;
  };
  return `${side('r')} *<> ${side('t')}`;
}

function differenceOf(row: Row, reference: Reference): Difference {
  const kind = row['kind'] as Difference['kind'];
  const [ofReference, ofTable] = [row['reference'], row['table_values']] as (string | null)[][];
  const differing = row['differing'] as readonly boolean[];
  const key = reference.columns.slice(0, reference.keyColumns);
  const shown = kind === 'extra' ? ofTable : ofReference;
  return {
    kind,
    key: Object.fromEntries(key.map(({ target }, place) => [target.name, shown?.[place] ?? null])),
    columns: reference.columns.flatMap(({ target }, place) =>
      kind === 'changed' && differing[place] === true
        ? [
            {
              column: target.name,
              reference: ofReference?.[place] ?? null,
              table: ofTable?.[place] ?? null,
            },
          ]
        : [],
    ),
    copies: null,
  };
}
