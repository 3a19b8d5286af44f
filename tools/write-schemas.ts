import { writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { jobJsonSchema } from '../src/job/job-json-schema.ts';

/** Writes config/job.schema.json from the schema in src/job. A test says when this is due. */
const path = new URL('../config/job.schema.json', import.meta.url).pathname;
const style = await resolveConfig(path);
await writeFile(path, await format(JSON.stringify(jobJsonSchema), { ...style, parser: 'json' }));
