import type { ErrorRecord } from '../errors.ts';
import type { LoadRequest } from '../job/schema.ts';
import { stageColumn } from '../target/binary/stage-column.ts';
import { readAs } from '../target/staging-layout.ts';
import type { TargetColumn } from '../target/table.ts';
import type { DescribedFile } from './describe-files.ts';
import { countText } from './figures.ts';
import { mapColumns, type Mapping } from './map-columns.ts';
import { noting, throwProblems } from './problems.ts';
import type { Target } from './target-table.ts';

export interface MappedFiles {
  /** By ordinal of the file: for each of its columns the column of the table, or null. */
  readonly targets: readonly (readonly (string | null)[])[];
  readonly notices: readonly string[];
  /** Those of the notices that tell of values that change on their way. */
  readonly losses: readonly string[];
}

/**
 * Maps the columns of all files, and looks whether Parquet's types can go where they are mapped. The
 * problems of all files come together; a file that is skipped has none, since it is not read.
 */
export async function mapFiles(
  files: readonly DescribedFile[],
  target: Target,
  request: Pick<LoadRequest, 'columns'>,
  isSkipped: (file: DescribedFile) => boolean,
): Promise<MappedFiles> {
  const problems: ErrorRecord[] = [];
  const losses = new Map<string, string[]>();
  const targets: (readonly (string | null)[])[] = [];
  /** Files with the same header share their list of columns, and so what becomes of them. */
  const shared = new Map<readonly string[], Mapping>();
  for (const file of files) {
    const mapping = shared.get(file.columns) ?? mappingOf(file, target, request);
    if (mapping.problems.length === 0) shared.set(file.columns, mapping);
    targets.push(mapping.targets);
    if (isSkipped(file)) continue;
    problems.push(...mapping.problems);
    // To wait for each of a hundred thousand others takes its time.
    if (file.description.kind !== 'parquet') continue;
    await noteLosses(file, mapping.targets, target.planned.columns, losses, problems);
  }
  const count = files.length === 1 ? 'one file' : `${countText(files.length)} files`;
  throwProblems(problems, `the columns of ${count}`);
  const lost = lossNotices(losses);
  return { targets, notices: [...lost, ...leftOut(files, targets)], losses: lost };
}

function mappingOf(
  { file, description, columns }: DescribedFile,
  target: Target,
  request: Pick<LoadRequest, 'columns'>,
): Mapping {
  return mapColumns({
    file: file.name,
    columns,
    format: description.kind === 'csv' || description.kind === 'json' ? description.kind : null,
    header: description.kind !== 'csv' || description.dialect.header,
    explicit: request.columns,
    table: target.planned,
    required: [...target.key, ...(target.versionColumn === null ? [] : [target.versionColumn])],
  });
}

/** What a Parquet type loses in its column, by what is lost: the names of the files. */
async function noteLosses(
  { file, description }: DescribedFile,
  targets: readonly (string | null)[],
  columns: readonly TargetColumn[],
  losses: Map<string, string[]>,
  problems: ErrorRecord[],
): Promise<void> {
  if (description.kind !== 'parquet') return;
  for (const [index, source] of description.columns.entries()) {
    const column = columns.find((each) => each.name === targets[index]);
    if (column === undefined) continue;
    const stage = await noting(problems, async () => stageColumn(source.type, readAs(column).type));
    if (stage?.loss == null) continue;
    const what = `column "${source.name}": ${stage.loss}`;
    const names = losses.get(what) ?? [];
    names.push(file.name);
    losses.set(what, names);
  }
}

function lossNotices(losses: ReadonlyMap<string, readonly string[]>): string[] {
  return [...losses].map(([what, names]) => {
    const others = names.length === 1 ? '' : ` and ${countText(names.length - 1)} more`;
    return `${names[0] ?? ''}${others}, ${what}`;
  });
}

function leftOut(
  files: readonly DescribedFile[],
  targets: readonly (readonly (string | null)[])[],
): string[] {
  const names = new Set<string>();
  for (const [index, { columns }] of files.entries()) {
    const places = targets[index] ?? [];
    if (!places.includes(null)) continue;
    for (const [at, name] of columns.entries()) if (places[at] === null) names.add(name);
  }
  return names.size === 0 ? [] : [`Left out as asked for: ${[...names].join(', ')}.`];
}
