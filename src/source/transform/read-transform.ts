import type { TransformRequest } from '../../job/transform-request.ts';
import type { TransformSource } from '../source-file.ts';
import { importTransform } from './import-transform.ts';

/** What a transform says of itself. @throws EtlError as importTransform */
export async function readTransform({
  module,
  options,
}: TransformRequest): Promise<TransformSource> {
  const { columns, version = null } = await importTransform(module);
  const named: [string, string | null][] = Array.isArray(columns)
    ? (columns as readonly string[]).map((name) => [name, null])
    : Object.entries(columns);
  return { module, options, columns: Object.fromEntries(named), version };
}
