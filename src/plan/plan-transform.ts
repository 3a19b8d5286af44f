import { basename } from 'node:path';
import { EtlError } from '../errors.ts';
import { transformRequest } from '../job/transform-request.ts';
import type { LoadRequest } from '../job/schema.ts';
import type {
  FileDescription,
  SourceFile,
  TransformedColumn,
  TransformedDescription,
  TransformSource,
} from '../source/source-file.ts';
import { countText } from './figures.ts';
import type { PlanContext } from './plan-context.ts';

/**
 * What the transform of a load says of itself; null where the load has none. Its module is imported
 * for that, and nothing of it is called: which columns come out is declared, not tried.
 */
export async function planTransform(
  { transform }: Pick<LoadRequest, 'transform'>,
  { source }: Pick<PlanContext, 'source'>,
): Promise<TransformSource | null> {
  const asked = transformRequest(transform);
  return asked === null ? null : source.readTransform(asked);
}

interface Described {
  readonly ordinal: number;
  readonly file: SourceFile;
  readonly description: FileDescription;
  readonly columns: readonly string[];
}

/** The files as they are once their rows went through the transform. */
export function withTransform<File extends Described>(
  files: readonly File[],
  transform: TransformSource | null,
): File[] {
  if (transform === null) return [...files];
  /** Files with the same header share their list of columns, and what becomes of it. */
  const shared = new Map<readonly string[], ComingOut>();
  /** Documents share their description, and so what it becomes. */
  let last: TransformedDescription | null = null;
  return files.map((file) => {
    const { columns: own, description: input } = file;
    if (input.kind === 'transformed') return file;
    const { columns, names } = shared.get(own) ?? comingOut(columnsOf(own, transform, file));
    shared.set(own, { columns, names });
    if (last?.input !== input) last = { kind: 'transformed', columns, input, transform };
    return { ...file, description: last, columns: names };
  });
}

/** The columns of a file behind its transform, and their names. */
interface ComingOut {
  readonly columns: readonly TransformedColumn[];
  readonly names: readonly string[];
}

function comingOut(columns: readonly TransformedColumn[]): ComingOut {
  return { columns, names: columns.map(({ name }) => name) };
}

function columnsOf(
  own: readonly string[],
  { columns, module }: TransformSource,
  { file }: Described,
): readonly TransformedColumn[] {
  // A row is an object, in which this one name means something else.
  if (own.includes('__proto__')) {
    throw new EtlError(
      'ETL_TRANSFORM',
      `A column of the file is called __proto__, which no row for ${basename(module)} can have.`,
      'Rename it in the file.',
      { file: file.name, column: '__proto__' },
    );
  }
  const given = Object.keys(columns);
  return [
    ...own.map((name, place) => ({ name, place, given: given.includes(name) })),
    ...given
      .filter((name) => !own.includes(name))
      .map((name) => ({ name, place: null, given: true })),
  ];
}

/**
 * The request with the types of the columns that the transform gives: what the files have under their
 * names says nothing of them. The job's own types win.
 */
export function withTransformTypes(
  request: LoadRequest,
  transform: TransformSource | null,
): LoadRequest {
  if (transform === null) return request;
  const { columns: mapped, lookups, types } = request;
  const given = Object.entries(transform.columns).flatMap(([name, type]) => {
    if (lookups.some(({ column }) => column === name)) return [];
    const target = Object.hasOwn(mapped, name) ? (mapped[name] ?? null) : name;
    return target === null ? [] : [[target, type ?? 'text'] as const];
  });
  return { ...request, types: { ...Object.fromEntries(given), ...types } };
}

/** A column of the key whose values the transform gives, so that no sample of the files shows them. */
export function madeKey(
  files: readonly Described[],
  targets: readonly (readonly (string | null)[])[],
  key: readonly string[],
): string | null {
  for (const { ordinal, description } of files) {
    if (description.kind !== 'transformed') continue;
    const made = description.columns.findIndex(
      ({ given }, index) => given && key.includes(targets[ordinal]?.[index] ?? ''),
    );
    if (made >= 0) return description.columns[made]?.name ?? null;
  }
  return null;
}

export function transformNotices(transform: TransformSource | null, batchRows: number): string[] {
  if (transform === null) return [];
  const columns = Object.keys(transform.columns).join(', ');
  return [
    `Every row goes through ${basename(transform.module)}, ${countText(batchRows)} at a time; it gives ${columns}.`,
  ];
}
