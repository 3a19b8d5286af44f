import type { LoadRequest, Settings } from '../job/schema.ts';
import { LIMITS } from '../limits.ts';
import { copyFormatOf } from '../source/csv/copy-format.ts';
import type { SpelledField } from '../source/csv/sample-records.ts';
import type { CsvDescription } from '../source/source-file.ts';
import type { TextColumn } from '../target/row-text.ts';
import type { TargetColumn, TargetType } from '../target/table.ts';
import { COSTS } from './cost-figures.ts';
import { countText } from './figures.ts';
import { looksUp } from './lookup-columns.ts';
import type { PlanContext } from './plan-context.ts';
import type { PlannedFiles } from './plan-files.ts';
import type { FilePlan, UnchangedPlan } from './plan-types.ts';
import type { Target } from './target-table.ts';
import { chooseForm, isWritten, type SpelledPair } from './text-forms.ts';

type Context = Pick<PlanContext, 'catalog' | 'source' | 'comparedRowsMin'>;

/**
 * Whether the files are to be compared with the table before they are loaded, so that rows which
 * the table holds as they are need not be sent (see load/unchanged/find-unchanged.ts). It pays where
 * most rows are such; a sample of them says so, looked up by one small statement. It chooses speed
 * alone: the load is right whatever the rows turn out to be.
 *
 * Not where something sees a row that changes nothing (a trigger, a rule, a partition, row security),
 * nor where the bytes of a record do not say what is loaded of it (ignored columns, lookups, types
 * whose text is not read back as the same value, files of several layouts).
 */
export async function planUnchanged(
  request: LoadRequest,
  settings: Pick<Settings, 'conflictDetection' | 'keepSuperseded'>,
  target: Target,
  { files }: Pick<PlannedFiles, 'files'>,
  context: Context,
): Promise<UnchangedPlan | null> {
  const toLoad = files.filter((file) => file.skip === null);
  const rows = toLoad.reduce((sum, file) => sum + file.estimatedRows, 0);
  const enough = rows >= context.comparedRowsMin && rows <= LIMITS.comparedRecordsMax;
  const compares = settings.conflictDetection && settings.keepSuperseded === null && enough;
  const wholeFiles = request.strategy !== 'partitioned';
  const columns = comparedColumns(target, toLoad);
  const tableRows = rowsOfTable(target);
  if (!compares || !wholeFiles || columns === null || tableRows === null) return null;

  const key = target.key.flatMap((name) => columns.filter((column) => column.name === name));
  const withinRange = tableRows > rows * RANGE_ROWS_MIN && isInteger(key[0]?.type);
  if (!withinRange && !pays(1, rows, tableRows)) return null;
  const sample = await sampleFiles(toLoad, context);
  const chosen = await compareSample(sample, target, { key, columns }, toLoad, context);
  if (chosen === null || chosen.equal === 0) return null;
  const read = withinRange ? await rowsInRange(target, key, toLoad, context) : tableRows;
  // Where a key has several spellings, the first row that has changed ends what can be left out.
  const byKey = key.every(({ type }) => type.bytewise);
  const share = byKey || chosen.equal === chosen.sampled ? chosen.equal / chosen.sampled : 0;
  return read !== null && pays(share, rows, read) ? { ...chosen, withinRange } : null;
}

export function unchangedNotice({ equal, sampled }: UnchangedPlan): string {
  return `${countText(equal)} of ${countText(sampled)} sampled rows stand in the table as they are: the files are compared with it first, and such rows are not sent.`;
}

/** Times the rows of the files from which on only a range of the table is read, if it can be. */
const RANGE_ROWS_MIN = 1.5;
const SAMPLED_FILES = 8;
const SAMPLED_RECORDS = 200;

/** Types whose text, in fixed settings of the session, is read back as the same value. */
const READ_BACK = new Set([
  ...['bool', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'oid', 'uuid', 'bytea'],
  ...['text', 'varchar', 'bpchar', 'json', 'jsonb', 'inet', 'cidr', 'macaddr'],
  ...['date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval'],
]);

function isReadBack({ kind, typeName, element }: TargetType): boolean {
  if (kind === 'enum') return true;
  if (kind === 'array') return element !== null && READ_BACK.has(element);
  return (kind === 'base' || kind === 'domain') && element === null && READ_BACK.has(typeName);
}

function isInteger(type: TargetType | undefined): boolean {
  return type?.kind === 'base' && ['int2', 'int4', 'int8'].includes(type.typeName);
}

/** The table's columns in the order of the files' ones; null where records cannot be compared. */
function comparedColumns(target: Target, files: readonly FilePlan[]): TargetColumn[] | null {
  const { existing, key, planned } = target;
  if (existing === null || planned.empty || key.length === 0 || looksUp(planned.columns)) {
    return null;
  }
  const seen = [...existing.rowTriggers, ...existing.rules, ...existing.selfReferences];
  const [first] = files;
  if (!existing.copiesLikeInsert || seen.length > 0 || first === undefined) return null;
  if (!files.every((file) => isLike(file, first))) return null;
  const columns = first.targets.flatMap((name) =>
    planned.columns.filter((column) => column.name === name),
  );
  const brought = new Set(columns);
  // A row that lacks a value which it must have is refused, though its key is there.
  const lacks = planned.columns.some(
    (column) =>
      !brought.has(column) && column.notNull && !column.hasDefault && column.generated === 'no',
  );
  const all =
    columns.length === first.targets.length && columns.every(({ type }) => isReadBack(type));
  return all && !lacks && key.every((name) => first.targets.includes(name)) ? columns : null;
}

function isLike(file: FilePlan, first: FilePlan): boolean {
  const { description } = file;
  if (description.kind !== 'csv' || description.path !== 'bytes') return false;
  if (file === first) return description.dialect.encoding === 'utf8';
  const formats = [file, first].map(({ targets, description: each }) =>
    JSON.stringify([targets, copyFormatOf(each as CsvDescription)]),
  );
  return formats[0] === formats[1];
}

/** As far as is known; a table that was never analyzed tells its size alone. */
function rowsOfTable({ existing }: Target): number | null {
  if (existing === null) return null;
  return existing.estimatedRows > 0 ? existing.estimatedRows : existing.bytes / BYTES_OF_ROW;
}

const BYTES_OF_ROW = 100;

function pays(share: number, rows: number, read: number): boolean {
  const costs = rows * COSTS.compareRecord + read * COSTS.compareTableRow;
  return share * rows * COSTS.unchangedRow > COMPARE_MARGIN * costs;
}

/**
 * What is saved must be so many times what it costs to find it, since a sample tells the share, and one
 * worker finds it before the others begin. A load of 1.5 million rows, half of them changed, took as much
 * CPU with the comparison as without it (12.2 and 12.0 s).
 */
const COMPARE_MARGIN = 1.8;

async function sampleFiles(
  files: readonly FilePlan[],
  { source }: Context,
): Promise<SpelledField[][]> {
  const step = Math.max(1, files.length / SAMPLED_FILES);
  const places = Array.from({ length: Math.min(files.length, SAMPLED_FILES) }, (_, place) =>
    Math.min(files.length - 1, Math.round(place * step)),
  );
  const each = Math.ceil(SAMPLED_RECORDS / Math.max(1, places.length));
  const records: SpelledField[][] = [];
  for (const place of new Set(places)) {
    const file = files[place];
    if (file !== undefined) {
      const { description } = file;
      records.push(...(await source.sampleRecords(file, description as CsvDescription, each)));
    }
  }
  return records;
}

interface Compared {
  readonly key: readonly TargetColumn[];
  readonly columns: readonly TargetColumn[];
}

/** Null where the table holds none of the keys, or they are no keys at all. */
async function compareSample(
  sample: readonly (readonly SpelledField[])[],
  { planned: { schema, name } }: Target,
  { key, columns }: Compared,
  [first]: readonly FilePlan[],
  { catalog }: Context,
): Promise<Omit<UnchangedPlan, 'withinRange'> | null> {
  if (sample.length === 0 || first === undefined) return null;
  const { dialect } = first.description as CsvDescription;
  const places = key.map((column) => columns.indexOf(column));
  const keys = sample.map((record) => places.map((place) => record[place]?.text ?? null));
  const names = columns.map((column) => column.name);
  const rows = await catalog.rowsOfKeys({ schema, name, key }, names, keys);
  if (rows === null) return null;
  const pairs = sample.flatMap((record, place) => {
    const row = rows[place];
    return row == null
      ? []
      : [record.map((file, column): SpelledPair => ({ file, table: row[column] ?? null }))];
  });
  const chosen = columns.map(({ name: column, type }, place): TextColumn =>
    chooseForm(
      column,
      type,
      pairs.flatMap((pair) => pair[place] ?? []),
      dialect,
    ),
  );
  const equal = pairs.filter((pair) =>
    chosen.every((column, place) => {
      const one = pair[place];
      return one !== undefined && isWritten(one, column, dialect);
    }),
  );
  return { columns: chosen, sampled: sample.length, equal: equal.length };
}

async function rowsInRange(
  { planned: { schema, name } }: Target,
  key: readonly TargetColumn[],
  files: readonly FilePlan[],
  { catalog }: Context,
): Promise<number | null> {
  const ends = files.flatMap(({ keyMin, keyMax }) => [keyMin, keyMax]);
  const known = ends.filter((end) => end !== null && /^-?\d{1,15}$/.test(end)).map(Number);
  if (known.length === 0) return null;
  const [min, max] = [Math.min(...known), Math.max(...known)];
  return catalog.rowsBetween({ schema, name, key }, String(min), String(max));
}
