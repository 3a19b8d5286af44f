import { openJson } from '../json/json-stream.ts';
import type { JsonDescription, SourceFile } from '../source-file.ts';
import { readCopyLines } from './copy-text.ts';
import type { TextPiece, TextRows, TextRowsOptions } from './text-row.ts';

/** A JSON file, record by record: strings as their text, objects and arrays as JSON. */
export function openJsonTextRows(
  file: SourceFile,
  description: JsonDescription,
  { forms, rowsMax, signal }: TextRowsOptions,
): TextRows {
  const fields = description.columns.map((_, column) => ({
    column,
    form: forms[column] ?? 'text',
  }));
  let bytes = 0;
  const stream = openJson(file, description, fields, {
    signal,
    goOn: true,
    onProgress: (_records, bytesOnDisk) => {
      bytes = bytesOnDisk;
    },
  });
  async function* pieces(): AsyncGenerator<TextPiece> {
    for await (const piece of stream.pieces) {
      if (piece.kind === 'bad') {
        yield piece;
        continue;
      }
      const rows = readCopyLines(piece.bytes);
      for (let from = 0; from < rows.length; from += rowsMax) {
        yield { kind: 'rows', first: piece.first + from, rows: rows.slice(from, from + rowsMax) };
      }
    }
  }
  return {
    pieces: pieces(),
    bytesRead: () => bytes,
    contentHash: async () => stream.totals().contentHash,
  };
}
