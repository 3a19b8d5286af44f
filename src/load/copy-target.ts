import { present } from '../assert.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { emptyIsNull } from '../target/empty-text.ts';
import type { StagingLayout } from '../target/staging-layout.ts';
import type { TargetColumn } from '../target/table.ts';
import type { CopyTarget } from './stage-file.ts';

/** Where a file's rows are staged. */
export function copyTargetOf(
  columns: readonly TargetColumn[],
  layout: StagingLayout,
  file: FilePlan,
): CopyTarget {
  const fileLayout = present(layout.files.get(file.ordinal), `layout of file ${file.ordinal}`);
  const targets = new Map(layout.table.columns.map((column) => [column.name, column.target]));
  return {
    sqlName: layout.table.sqlName,
    layout: fileLayout,
    forceNull: forcedNulls(columns, file, fileLayout.copyColumns, (copied) => targets.get(copied)),
    ordinal: true,
    where: null,
    columnName: (copied) => fileColumnName(file, fileLayout.copyColumns.indexOf(copied)),
  };
}

export function forcedNulls(
  columns: readonly TargetColumn[],
  file: FilePlan,
  copied: readonly string[],
  targetOf: (copied: string) => string | null | undefined,
): string[] {
  if (file.description.kind !== 'csv' || file.description.dialect.null !== '') return [];
  const nullable = new Set(
    columns.filter((column) => emptyIsNull(column.type)).map((column) => column.name),
  );
  return copied.filter((name) => nullable.has(targetOf(name) ?? ''));
}

/** The file's own name for the column at this place of COPY's list. */
export function fileColumnName(file: FilePlan, place: number): string | null {
  if (file.description.kind === 'csv') return file.description.columns[place] ?? null;
  const mapped = file.description.columns.filter((_, index) => file.targets[index] !== null);
  return mapped[place]?.name ?? null;
}
