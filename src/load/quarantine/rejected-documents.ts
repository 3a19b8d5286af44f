import type { FilePlan } from '../../plan/plan-types.ts';
import { matcherOf, valueText } from '../../source/documents/document-values.ts';
import type { DocumentDescription } from '../../source/source-file.ts';
import type { RejectedRow } from './reject-spool.ts';
import type { RejectedText } from './rejected-texts.ts';

/** What is known of a document but its content: that is the file itself, which `etl_raw` names. */
export async function* rejectedDocument(
  file: FilePlan,
  description: DocumentDescription,
  rows: AsyncIterator<RejectedRow>,
): AsyncGenerator<RejectedText> {
  const placeholders = matcherOf(description)(file.path);
  const fields = description.columns.map(({ source }) => valueText(source, file, placeholders));
  for (let row = await rows.next(); row.done !== true; row = await rows.next()) {
    yield { row: row.value, line: 1, offset: null, raw: file.path, fields };
  }
}
