import type { JsonForm } from '../source/json/copy-rows.ts';
import type { TargetType } from './table.ts';

/** How a column of the type takes the values of a JSON file; a domain as the type that it is of. */
export function jsonForm({ typeName, kind, element }: TargetType): JsonForm {
  if (isJson(typeName)) return 'json';
  if (kind === 'array') return isJson(element ?? '') ? 'json-array' : 'array';
  return /^int[248]$/.test(typeName) ? 'integer' : 'text';
}

function isJson(typeName: string): boolean {
  return typeName === 'json' || typeName === 'jsonb';
}
