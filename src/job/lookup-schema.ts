import * as z from 'zod';

const name = z.string().min(1);

/** A column of the files whose values are looked up in another table; see target/lookup-sql.ts. */
export const lookupSchema = z.strictObject({
  column: name.describe('Column of the files that is looked up; it is no column of the target.'),
  table: name.describe('Table that it is looked up in, [schema.]name.'),
  match: name.describe('Column of that table that it must equal; it needs a unique index.'),
  id: name
    .nullable()
    .default(null)
    .describe('Column of that table whose value is taken; default: its primary key.'),
  into: name.describe('Column of the target that gets the value.'),
  fold: z
    .enum(['upper', 'lower'])
    .nullable()
    .default(null)
    .describe('Case that the value is brought to before it is compared, and created.'),
  insertMissing: z
    .boolean()
    .default(false)
    .describe(
      'Create a row for a value that has none; it stays even where its file is refused later.',
    ),
  set: z
    .record(name, name)
    .default({})
    .describe(
      'Further columns of a created row, and the columns of the files that they are taken from, in the first row that brings the value; a row that is there stays as it is.',
    ),
  required: z
    .boolean()
    .nullable()
    .default(null)
    .describe(
      'true: a row without a value is bad, too; false: a value that is not found gives NULL. By default a row without a value gets NULL, and one whose value is not found is bad.',
    ),
});
export type LookupRequest = z.infer<typeof lookupSchema>;
