import * as z from 'zod';
import { LIMITS } from '../limits.ts';

const name = z.string().min(1);

const INDEX_METHODS = ['btree', 'hash', 'gin', 'gist', 'brin'] as const;

/** An index that a load asks for. */
export const indexSchema = z.strictObject({
  columns: z
    .array(name)
    .min(1)
    .max(LIMITS.indexColumnsMax)
    .describe('Columns, or expressions such as lower(email), in the order of the index.'),
  unique: z
    .boolean()
    .default(false)
    .describe('Whether no two rows may agree in them; it is made once the rows are loaded.'),
  method: z.enum(INDEX_METHODS).default('btree').describe('Kind of index.'),
  where: name
    .nullable()
    .default(null)
    .describe('SQL condition of the rows that the index holds; by default all.'),
  name: name.nullable().default(null).describe('By default made of the table and the columns.'),
});
export type IndexRequest = z.infer<typeof indexSchema>;
