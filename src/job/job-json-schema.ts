import * as z from 'zod';
import { jobSchema } from './schema.ts';

/** The part of JSON Schema that zod writes for this schema. */
export interface SchemaNode {
  readonly $schema?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | false;
  readonly propertyNames?: SchemaNode;
  readonly items?: SchemaNode;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/**
 * JSON Schema of a job file; config/job.schema.json is this, written by `npm run schemas`. A build has
 * it ready made, since to make it takes 12 ms of CPU, which every command would pay.
 */
export const jobJsonSchema: SchemaNode & { readonly $id: string } = {
  $id: 'urn:parallel-upsert:job:1',
  ...(z.toJSONSchema(jobSchema, { io: 'input' }) as SchemaNode),
};
