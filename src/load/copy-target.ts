import { present } from '../assert.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { readsEmptyAsNull } from '../source/transform/input-of.ts';
import { emptyIsNull } from '../target/empty-text.ts';
import { readAs, type StagingLayout } from '../target/staging-layout.ts';
import type { TargetColumn } from '../target/table.ts';
import type { CopyTarget } from './stage-file.ts';

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
