import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { readsEmptyAsNull } from '../source/transform/input-of.ts';
import { emptyIsNull } from '../target/empty-text.ts';
import { readAs, type FileLayout, type StagingLayout } from '../target/staging-layout.ts';
import type { TargetColumn } from '../target/table.ts';

/** Where the rows go: a staging table, or the target itself. */
export interface CopyTarget {
  readonly sqlName: string;
  readonly layout: FileLayout;
  /** Types of the staged columns, for CSV: quoted empty fields of types other than text are NULL. */
  readonly forceNull: readonly string[];
  /** Staging has a column for the row's ordinal; the target has none. */
  readonly ordinal: boolean;
  /** What a row must satisfy: one that does not is not copied, and then the counts differ. */
  readonly where: string | null;
  /** Name of a copied column, as the file calls it. */
  readonly columnName: (copied: string) => string | null;
}

/** Where a file's rows are staged. */
export function copyTargetOf(
  columns: readonly TargetColumn[],
  layout: StagingLayout,
  file: FilePlan,
): CopyTarget {
  const fileLayout = present(layout.files.get(file.ordinal), `layout of file ${file.ordinal}`);
  const targets = new Map(
    layout.table.columns.map(({ name, target, looksUp }) => [name, target ?? looksUp]),
  );
  return {
    sqlName: layout.table.sqlName,
    layout: fileLayout,
    forceNull:
      fileLayout.forceNull ??
      forcedNulls(columns, file, fileLayout.copyColumns, (copied) => targets.get(copied)),
    ordinal: true,
    where: null,
    columnName: (copied) => {
      const place = fileLayout.copyColumns.indexOf(copied);
      const { fileColumns } = fileLayout;
      return fileColumns === undefined ? fileColumnName(file, place) : (fileColumns[place] ?? null);
    },
  };
}

/** The list of a COPY whose rows bring their ordinal along, where they are to have one. */
export function copiedColumns({ ordinal, layout }: CopyTarget): readonly string[] {
  return [...(ordinal ? ['etl_row'] : []), ...layout.copyColumns];
}

export function forcedNulls(
  columns: readonly TargetColumn[],
  file: FilePlan,
  copied: readonly string[],
  targetOf: (copied: string) => string | null | undefined,
): string[] {
  if (!readsEmptyAsNull(file.description)) return [];
  const nullable = new Set(
    columns.filter((column) => emptyIsNull(readAs(column).type)).map((column) => column.name),
  );
  return copied.filter((name) => nullable.has(targetOf(name) ?? ''));
}

/** The file's own name for the column at this place of COPY's list. */
export function fileColumnName(file: FilePlan, place: number): string | null {
  if (file.description.kind === 'csv') return file.description.columns[place] ?? null;
  const mapped = file.description.columns.filter((_, index) => file.targets[index] !== null);
  return mapped[place]?.name ?? null;
}

/** @throws EtlError where the rows that were sent are not all where they were expected */
export function refuseOutside(file: FilePlan, { where }: CopyTarget, rows: number): void {
  if (where === null || rows <= 0) return;
  throw new EtlError(
    'ETL_ROW_INVALID',
    `The keys of ${rows} rows are not where the sample has seen the keys of the file.`,
    'Nothing need be done: the file is staged.',
    { file: file.name },
  );
}
