import * as z from 'zod';

const name = z.string().min(1);

/** A further table that takes the rows of a load; see plan/plan-targets.ts. */
export const targetSchema = z.strictObject({
  table: name.describe('Further table, [schema.]name.'),
  key: z
    .array(name)
    .min(1)
    .nullable()
    .default(null)
    .describe('Its key columns; default: the primary key of the table.'),
  onConflict: z
    .enum(['update', 'ignore', 'newest', 'append'])
    .default('update')
    .describe('Which row stays in it when a key comes again.'),
  versionColumn: name
    .nullable()
    .default(null)
    .describe('Its column that says which row is newer (with onConflict newest).'),
  columns: z
    .record(name, name.nullable())
    .default({})
    .describe(
      'Column of the file to column of this table; null leaves it out. Others go to the column of the same name, where the table has one.',
    ),
  types: z
    .record(name, name)
    .default({})
    .describe('SQL types of its columns, where it is created.'),
  where: name
    .nullable()
    .default(null)
    .describe(
      "SQL condition over this table's columns, and those of the load's own table: only rows for which it holds go here.",
    ),
});
export type TargetRequest = z.infer<typeof targetSchema>;
