import { groupDigits } from '../group-digits.ts';
import { jobJsonSchema, type SchemaNode } from './job-json-schema.ts';

/**
 * The schema as a list: every single thing that a job may ask for. The environment, the command
 * line's flags and the README's tables are made from it, so none of them can know less or more.
 */
export interface JobOption {
  /** Where it stands in a job; `*` is the load that the command line means. */
  readonly path: readonly string[];
  /** `objects`: a list of objects, which only a job file can say. */
  readonly kind: 'text' | 'number' | 'switch' | 'list' | 'mapping' | 'objects';
  /** What is allowed, for people: `auto, or a whole number from 1 to 64`. */
  readonly allowed: string;
  readonly nullable: boolean;
  /** Undefined: it must be given. */
  readonly defaultValue: unknown;
  readonly description: string;
  /** The environment variable that sets it, for what is not of a single load. */
  readonly variable: string | null;
}

export const jobOptions: readonly JobOption[] = optionsBelow(jobJsonSchema, []);

/** The node that rules the value at a path of a job, or null where the schema knows none. */
export function schemaNodeAt(path: readonly PropertyKey[]): SchemaNode | null {
  let node: SchemaNode | undefined = jobJsonSchema;
  for (const step of path) {
    const key = String(step);
    const named: SchemaNode | undefined =
      node.properties !== undefined && Object.hasOwn(node.properties, key)
        ? node.properties[key]
        : undefined;
    node = named ?? (typeof step === 'number' ? node.items : undefined) ?? entriesOf(node);
    if (node === undefined) return null;
  }
  return node;
}

/** What a node allows, in words. */
export function allowedBy(node: SchemaNode): string {
  const either = node.anyOf?.map((branch) => allowedBy(branch)) ?? [];
  if (either.length > 0) return either.join(', or ');
  if (node.const !== undefined) return JSON.stringify(node.const).replaceAll('"', '');
  if (node.enum !== undefined) return node.enum.map(String).join(', ');
  const types = typeof node.type === 'string' ? [node.type] : (node.type ?? []);
  return types.map((type) => allowedByType(type, node)).join(', or ');
}

function optionsBelow(parent: SchemaNode, path: readonly string[]): JobOption[] {
  return Object.entries(parent.properties ?? {}).flatMap(([name, node]) => {
    const here = [...path, name];
    if (name === 'loads' && node.items !== undefined)
      return optionsBelow(node.items, ['loads', '*']);
    if (node.properties !== undefined) return optionsBelow(node, here);
    if (name === '$schema' || name === 'description') return [];
    return [optionOf(node, here)];
  });
}

function optionOf(node: SchemaNode, path: readonly string[]): JobOption {
  const kinds = new Set((node.anyOf ?? [node]).flatMap((branch) => branch.type ?? []));
  return {
    path,
    kind: kinds.has('boolean')
      ? 'switch'
      : kinds.has('integer')
        ? 'number'
        : kinds.has('array')
          ? isOfObjects(node)
            ? 'objects'
            : 'list'
          : kinds.has('object') && !kinds.has('string')
            ? 'mapping'
            : 'text',
    allowed: allowedBy(node),
    nullable: kinds.has('null'),
    defaultValue: node.default,
    description: node.description ?? '',
    variable: path.includes('*') ? null : variableOf(path.at(-1) ?? ''),
  };
}

function isOfObjects(node: SchemaNode): boolean {
  return (node.anyOf ?? [node]).some(({ items }) => items?.properties !== undefined);
}

function variableOf(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  // The database's URL goes by the name that hosts and frameworks already set.
  return words === 'DATABASE_URL' ? words : `ETL_${words}`;
}

function allowedByType(type: string, node: SchemaNode): string {
  switch (type) {
    case 'integer':
      return `a whole number from ${groupDigits(node.minimum ?? 0)} to ${groupDigits(node.maximum ?? Infinity)}`;
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      if (isOfObjects(node) && node.minItems === undefined) return 'a list of objects';
      return `a list of at least one ${allowedBy(node.items ?? {}).replace(/^an? /, '')}`;
    case 'object':
      return node.properties === undefined
        ? `an object of names (${allowedBy(entriesOf(node) ?? {})})`
        : 'an object';
    default:
      return textAllowed(node);
  }
}

function textAllowed(node: SchemaNode): string {
  if (node.pattern?.startsWith('^postgres') === true) return 'a URL that starts with postgres://';
  if (node.pattern?.endsWith('%$') === true) return 'a share such as 5%';
  const { minLength, maxLength } = node;
  if (maxLength !== undefined) {
    return maxLength === minLength
      ? `a text of ${maxLength} character`
      : `a text of ${minLength ?? 0} to ${maxLength} characters`;
  }
  return minLength === undefined ? 'a text' : 'a text that is not empty';
}

function entriesOf(node: SchemaNode): SchemaNode | undefined {
  return node.additionalProperties === false ? undefined : node.additionalProperties;
}
