import type { LoadRequest, Settings } from '../job/schema.ts';
import { copyFormatOf } from '../source/csv/copy-format.ts';
import type { SpelledField } from '../source/csv/sample-records.ts';
import type { CsvDescription, FileDescription, SourceFile } from '../source/source-file.ts';
import type { TextColumn } from '../target/row-text.ts';
import type { TargetColumn, TargetType } from '../target/table.ts';
import { looksUp } from './lookup-columns.ts';
import type { PlanContext } from './plan-context.ts';
import type { UnchangedPlan } from './plan-types.ts';
import type { Target } from './target-table.ts';
import { chooseForm, isWritten, type SpelledPair } from './text-forms.ts';
import { mayPay } from './unchanged-pays.ts';

export interface FileToCompare {
  readonly file: SourceFile;
  readonly description: FileDescription;
  readonly targets: readonly (string | null)[];
}

/** What some records of the files say of them and the rows that the table has for their keys. */
export interface SampledUnchanged {
  readonly key: readonly TargetColumn[];
  readonly chosen: Pick<UnchangedPlan, 'columns' | 'sampled' | 'equal'>;
}

/**
 * Looks up a sample of the files' records by one small statement. Null where none of them is in the table
 * as it is, or they cannot be compared: where something sees a row that changes nothing (a trigger, a
 * rule, a partition, row security), and where the bytes of a record do not say what is loaded of it
 * (ignored columns, lookups, types whose text is not read back as the same value, files of several
 * layouts); and where as many rows as the files seem to have are not worth it.
 */
export async function sampleUnchanged(
  request: Pick<LoadRequest, 'strategy'>,
  settings: Pick<Settings, 'conflictDetection' | 'keepSuperseded'>,
  target: Target,
  files: readonly FileToCompare[],
  context: Pick<PlanContext, 'catalog' | 'source' | 'comparedRowsMin'>,
): Promise<SampledUnchanged | null> {
  const compares = settings.conflictDetection && settings.keepSuperseded === null;
  if (!compares || request.strategy === 'partitioned') return null;
  const columns = comparedColumns(target, files);
  if (columns === null) return null;
  const key = target.key.flatMap((name) => columns.filter((column) => column.name === name));
  // Hardly a field is shorter than a digit and its delimiter.
  if (rowsOf(files, 2 * columns.length) < context.comparedRowsMin) return null;
  const sample = await sampleFiles(files, context);
  if (sample.length === 0 || !mayPay(target, rowsOf(files, meanBytes(sample)), key, context)) {
    return null;
  }
  const chosen = await compareSample(sample, target, { key, columns }, files, context);
  return chosen === null || chosen.equal === 0 ? null : { key, chosen };
}

/** Rows of a compressed file, roughly: four times those of its bytes. */
function rowsOf(files: readonly FileToCompare[], bytesPerRow: number): number {
  return files.reduce(
    (rows, { file: { bytes, compression } }) =>
      rows + ((compression === 'none' ? 1 : 4) * bytes) / bytesPerRow,
    0,
  );
}

function meanBytes(sample: readonly (readonly SpelledField[])[]): number {
  const bytes = sample.flat().reduce((sum, { text }) => sum + (text ?? '').length + 1, 0);
  return bytes / sample.length;
}

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

/** The table's columns in the order of the files' ones; null where records cannot be compared. */
function comparedColumns(target: Target, files: readonly FileToCompare[]): TargetColumn[] | null {
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

function isLike(file: FileToCompare, first: FileToCompare): boolean {
  const { description } = file;
  if (description.kind !== 'csv' || description.path !== 'bytes') return false;
  if (file === first) return description.dialect.encoding === 'utf8';
  const formats = [file, first].map(({ targets, description: each }) =>
    JSON.stringify([targets, copyFormatOf(each as CsvDescription)]),
  );
  return formats[0] === formats[1];
}

const SAMPLED_FILES = 8;
const SAMPLED_RECORDS = 200;

async function sampleFiles(
  files: readonly FileToCompare[],
  { source }: Pick<PlanContext, 'source'>,
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
      const description = file.description as CsvDescription;
      records.push(...(await source.sampleRecords(file.file, description, each)));
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
  [first]: readonly FileToCompare[],
  { catalog }: Pick<PlanContext, 'catalog'>,
): Promise<SampledUnchanged['chosen'] | null> {
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
