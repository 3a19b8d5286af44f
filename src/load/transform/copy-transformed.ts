import { assert, present } from '../../assert.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { TransformedDescription } from '../../source/source-file.ts';
import type { Connection } from '../../target/connect.ts';
import { textCopySql } from '../../target/copy-sql.ts';
import { copiedColumns, type CopyTarget } from '../copy-target.ts';
import type { Copied } from '../stage-options.ts';
import {
  openTransformedRows,
  type LineOptions,
  type TransformedOptions,
  type TransformedRows,
} from './transformed-rows.ts';

export type CopyTransformedOptions = Pick<
  TransformedOptions,
  'part' | 'subBatchSize' | 'signal' | 'onProgress'
>;

/** Copies the rows that a transform makes of a file, or of a part of it; a bad row ends it. */
export async function copyTransformed(
  connection: Connection,
  file: FilePlan,
  description: TransformedDescription,
  target: CopyTarget,
  options: CopyTransformedOptions,
): Promise<Copied> {
  const stream = await openForTarget(file, description, target, { ...options, goOn: false });
  const copied = await connection.copyIn(transformedCopySql(target), bytesOf(stream));
  const { rows, contentHash } = await stream.totals();
  assert(
    copied === rows || (target.where !== null && copied < rows),
    `COPY took ${copied} of ${rows} rows of ${file.name}`,
  );
  return { rows, staged: copied, contentHash };
}

/** Rows are numbered by themselves, since those that are bad leave gaps. */
export function transformedCopySql(target: CopyTarget): string {
  return textCopySql(target.sqlName, copiedColumns(target), target.where);
}

export function openForTarget(
  file: FilePlan,
  description: TransformedDescription,
  target: CopyTarget,
  options: CopyTransformedOptions & Pick<TransformedOptions, 'goOn'>,
): Promise<TransformedRows> {
  return openTransformedRows(file, description, { ...options, ...linesFor(target) });
}

/** What is sent of each row. */
export function linesFor({ layout, forceNull, ordinal }: CopyTarget): LineOptions {
  const fields = present(layout.json, 'the layout of a transformed file');
  const emptyIsNull = layout.copyColumns.map((name) => forceNull.includes(name));
  assert(fields.length === emptyIsNull.length, 'each field has its column');
  return { fields, emptyIsNull, numbered: ordinal };
}

async function* bytesOf({ pieces }: TransformedRows): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    assert(piece.kind === 'rows', 'a bad row is an error');
    yield piece.bytes;
  }
}
