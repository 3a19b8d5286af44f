import { EtlError } from '../../errors.ts';
import type { ParquetDescription, SourceFile } from '../source-file.ts';
import { openParquet } from './open-parquet.ts';
import type { OpenParquet } from './open-parquet.ts';
import { typeOf } from './parquet-schema.ts';

/**
 * What a Parquet file holds, from its footer alone.
 *
 * @throws EtlError as openParquet, and ETL_COLUMN_DUPLICATE
 */
export async function describeParquet(file: SourceFile): Promise<ParquetDescription> {
  const parquet = await openParquet(file);
  try {
    return descriptionOf(parquet);
  } finally {
    await parquet.close();
  }
}

export function descriptionOf({ file, footer, columns }: OpenParquet): ParquetDescription {
  const names = columns.map((column) => column.name);
  const duplicates = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
  const first = duplicates[0];
  if (first !== undefined) {
    throw new EtlError(
      'ETL_COLUMN_DUPLICATE',
      'Columns of the file have the same name.',
      'Write the file again with distinct names.',
      { file: file.name, column: first, problems: duplicates },
    );
  }
  return {
    kind: 'parquet',
    columns: columns.map((column) => ({
      name: column.name,
      type: typeOf(column),
      nullable: column.nullable,
    })),
    rows: footer.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0),
    rowGroups: footer.row_groups.map((group) => ({
      rows: Number(group.num_rows),
      uncompressedBytes: Number(
        group.columns.reduce(
          (sum, { meta_data: m }) => sum + (m?.total_uncompressed_size ?? 0n),
          0n,
        ),
      ),
    })),
    createdBy: footer.created_by ?? null,
  };
}
