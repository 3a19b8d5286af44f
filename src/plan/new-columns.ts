import type { LoadRequest } from '../job/schema.ts';
import type { ParquetType } from '../source/source-file.ts';
import { inputOf, readsEmptyAsNull } from '../source/transform/input-of.ts';
import { stageColumn } from '../target/binary/stage-column.ts';
import type { DescribedFile } from './describe-files.ts';
import { countText } from './figures.ts';
import {
  inferredType,
  newEvidence,
  observe,
  observeJson,
  type ColumnEvidence,
} from './infer-types.ts';
import { mapBounded } from './map-bounded.ts';
import { matchName } from './match-name.ts';
import type { PlanContext } from './plan-context.ts';
import { filesAtOnce, rowsPerFile } from './sample-files.ts';

/** A column of a table that is to be created, and where its values come from. */
export interface NewColumn {
  readonly name: string;
  /** The column of each file that brings it, by the file's ordinal. */
  readonly sources: Map<number, string>;
  /** Its types in the Parquet files. */
  readonly parquetTypes: ParquetType[];
}

/**
 * The columns of all files, in the order in which they first appear; spellings that differ only in
 * case, spaces and underscores are one column, unless one file has both.
 */
export function collectColumns(
  files: readonly DescribedFile[],
  explicit: LoadRequest['columns'],
): NewColumn[] {
  const columns = new Map<string, NewColumn>();
  for (const { ordinal, description, columns: names } of files) {
    const targets = names.map((name) =>
      Object.hasOwn(explicit, name) ? (explicit[name] ?? null) : name,
    );
    // What stands so in this very file is a column of its own.
    const before = [...columns.keys()].filter((name) => !targets.includes(name));
    targets.forEach((target, index) => {
      if (target === null) return;
      const name = columns.has(target) ? target : (matchName(target, before) ?? target);
      const column: NewColumn = columns.get(name) ?? {
        name,
        sources: new Map(),
        parquetTypes: [],
      };
      columns.set(name, column);
      column.sources.set(ordinal, names[index] ?? '');
      const input = inputOf(description);
      if (input.kind === 'parquet') {
        const type = input.columns[index]?.type;
        if (type !== undefined && type.kind !== 'null') column.parquetTypes.push(type);
      }
    });
  }
  return [...columns.values()];
}

/** The SQL type of each column: as given, from Parquet, or guessed from a sample of other files. */
export async function columnTypes(
  columns: readonly NewColumn[],
  given: ReadonlyMap<string, string>,
  files: readonly DescribedFile[],
  context: Pick<PlanContext, 'source' | 'seed'>,
): Promise<{ readonly sqlTypes: string[]; readonly notices: readonly string[] }> {
  const evidence = new Map(
    columns
      .filter((column) => !given.has(column.name))
      .map((column) => [column, newEvidence(column.parquetTypes.map(naturalType))] as const),
  );
  const guessed = files.filter((file) => inputOf(file.description).kind !== 'parquet');
  const sampled = await mapBounded(guessed, filesAtOnce(guessed.length), (file) =>
    observeFile(file, guessed.length, evidence, context),
  );
  const sqlTypes = columns.map((column) => {
    const own = evidence.get(column);
    return given.get(column.name) ?? (own === undefined ? 'text' : inferredType(own));
  });
  return { sqlTypes, notices: guessNotice(evidence, sampled) };
}

function naturalType(type: ParquetType): string {
  return stageColumn(type, null).sqlType;
}

interface Observed {
  readonly rows: number;
  readonly complete: boolean;
}

async function observeFile(
  { ordinal, file, description }: DescribedFile,
  guessedFiles: number,
  evidence: ReadonlyMap<NewColumn, ColumnEvidence>,
  { source, seed }: Pick<PlanContext, 'source' | 'seed'>,
): Promise<Observed> {
  const wanted = [...evidence].flatMap(([column, own]) => {
    const name = column.sources.get(ordinal);
    return name === undefined ? [] : [{ name, own }];
  });
  if (wanted.length === 0) return { rows: 0, complete: true };
  const sample = await source.sampleFile(file, description, {
    rowsMax: rowsPerFile(guessedFiles),
    seed,
    columns: wanted.map(({ name }) => name),
  });
  const emptyIsNull = readsEmptyAsNull(description);
  for (const [place, row] of sample.rows.entries()) {
    const strings = sample.strings?.[place];
    for (const [index, { own }] of wanted.entries()) {
      const value = row[index] ?? null;
      if (strings === undefined) observe(own, value, emptyIsNull);
      else observeJson(own, value, strings[index] ?? false);
    }
  }
  return { rows: sample.rows.length, complete: sample.complete };
}

/** A guess is said to be one, where rows that nobody has looked at could prove it wrong. */
function guessNotice(
  evidence: ReadonlyMap<NewColumn, ColumnEvidence>,
  sampled: readonly Observed[],
): string[] {
  const guessed = [...evidence]
    .filter(([, own]) => own.declared === null && inferredType(own) !== 'text')
    .map(([column]) => column.name);
  if (guessed.length === 0 || sampled.every((file) => file.complete)) return [];
  const rows = sampled.reduce((sum, file) => sum + file.rows, 0);
  return [
    `The types of ${guessed.join(', ')} are guessed from ${countText(rows)} sampled rows; name them in types where the guess is wrong.`,
  ];
}
