import * as z from 'zod';

const name = z.string().min(1);

/** What a column of a document may be taken from. */
const DOCUMENT_SOURCES = ['content', 'size', 'modified', 'path', 'name', 'loaded'] as const;

export const documentsSchema = z.strictObject({
  path: name
    .nullable()
    .default(null)
    .describe(
      'Each file is one row: a pattern of the end of its path, whose placeholders are columns ({id}_{level}.html).',
    ),
  columns: z
    .record(
      name,
      z.union([
        z.enum(DOCUMENT_SOURCES),
        z.strictObject({
          constant: z.union([z.string(), z.number(), z.boolean(), z.null()]),
        }),
      ]),
    )
    .default({})
    .describe(
      'Further columns and where they come from: content, size, modified, path, name, loaded (the time of the run), or {"constant": …}; by default the content.',
    ),
  encoding: name
    .default('utf8')
    .describe('Encoding of contents that go to a column of text: utf8, latin1, win1252, utf16le.'),
});
export type DocumentOptions = z.infer<typeof documentsSchema>;
