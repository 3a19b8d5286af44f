import type { ParquetType as PhysicalType, SchemaElement } from 'hyparquet';
import type { ParquetType } from '../source-file.ts';
import { leafType } from './logical-type.ts';
import { PageFault } from './parquet-fault.ts';

/**
 * The schema as a tree that knows how its values are assembled. Levels are those of Dremel: an
 * entry of a leaf has the node (not null) where its definition level reaches `definition`.
 */
export type SchemaNode = LeafNode | StructNode | ListNode | MapNode;

interface NodeBase {
  readonly name: string;
  readonly nullable: boolean;
  readonly definition: number;
}

export interface LeafNode extends NodeBase {
  readonly kind: 'leaf';
  readonly type: ParquetType;
  readonly physical: PhysicalType;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY or INT96, else 0. */
  readonly typeLength: number;
  readonly repetition: number;
  /** Position among the column chunks of every row group. */
  readonly chunkIndex: number;
}

interface StructNode extends NodeBase {
  readonly kind: 'struct';
  readonly fields: readonly SchemaNode[];
}

interface ListNode extends NodeBase {
  readonly kind: 'list';
  readonly element: SchemaNode;
  /** Levels of the repeated field: reached where there is an element; repeated for the next. */
  readonly itemDefinition: number;
  readonly itemRepetition: number;
}

interface MapNode extends NodeBase {
  readonly kind: 'map';
  readonly key: SchemaNode;
  /** Null for a map of keys alone. */
  readonly value: SchemaNode | null;
  readonly itemDefinition: number;
  readonly itemRepetition: number;
}

const DEPTH_MAX = 60;

/** The top-level columns. @throws PageFault */
export function readSchema(elements: readonly SchemaElement[]): SchemaNode[] {
  let index = 0;
  let chunks = 0;

  function take(depth: number): Field {
    if (depth > DEPTH_MAX) {
      throw new PageFault('its schema is nested too deeply', 'ETL_PARQUET_UNSUPPORTED');
    }
    const element = elements[index++];
    if (element === undefined) throw new PageFault('its schema ends too early');
    const children: Field[] = [];
    if (element.type === undefined) {
      const count = element.num_children ?? 0;
      if (count < 1 && depth > 0) throw new PageFault(`the field "${element.name}" has no type`);
      while (children.length < count) children.push(take(depth + 1));
      return { element, children, chunkIndex: -1 };
    }
    return { element, children, chunkIndex: chunks++ };
  }

  const root = take(0);
  if (index !== elements.length) throw new PageFault('its schema has fields without a parent');
  return root.children.map((field) => nodeOf(field, 0, 0));
}

/** The leaves of a node, in the order of their column chunks. */
export function leavesOf(node: SchemaNode): LeafNode[] {
  switch (node.kind) {
    case 'leaf':
      return [node];
    case 'struct':
      return node.fields.flatMap(leavesOf);
    case 'list':
      return leavesOf(node.element);
    case 'map':
      return [...leavesOf(node.key), ...(node.value === null ? [] : leavesOf(node.value))];
  }
}

export function typeOf(node: SchemaNode): ParquetType {
  switch (node.kind) {
    case 'leaf':
      return node.type;
    case 'struct': {
      const fields = node.fields.map((field) => ({
        name: field.name,
        type: typeOf(field),
        nullable: field.nullable,
      }));
      return { kind: 'struct', fields };
    }
    case 'list':
      return { kind: 'list', element: typeOf(node.element) };
    case 'map': {
      const value: ParquetType = node.value === null ? { kind: 'null' } : typeOf(node.value);
      return { kind: 'map', key: typeOf(node.key), value };
    }
  }
}

interface Field {
  readonly element: SchemaElement;
  readonly children: readonly Field[];
  readonly chunkIndex: number;
}

/** A repeated field that no list or map claims is a list of required elements, never null. */
function nodeOf(field: Field, definition: number, repetition: number): SchemaNode {
  if (field.element.repetition_type === 'REPEATED') {
    return listNode(field, field, false, definition, repetition);
  }
  const nullable = field.element.repetition_type === 'OPTIONAL';
  return presentNode(field, nullable, definition + (nullable ? 1 : 0), repetition);
}

/** The node of a field whose own repetition is already counted in the levels. */
function presentNode(
  field: Field,
  nullable: boolean,
  definition: number,
  repetition: number,
): SchemaNode {
  const { element, children, chunkIndex } = field;
  const base = { name: element.name, nullable, definition };
  if (element.type !== undefined) {
    const typeLength = element.type === 'INT96' ? 12 : (element.type_length ?? 0);
    const type = leafType(element);
    return {
      kind: 'leaf',
      ...base,
      type,
      physical: element.type,
      typeLength,
      repetition,
      chunkIndex,
    };
  }
  const annotation = element.logical_type?.type ?? element.converted_type;
  const only = children.length === 1 ? children[0] : undefined;
  if (only?.element.repetition_type === 'REPEATED') {
    if (annotation === 'LIST') return listNode(field, only, nullable, definition, repetition);
    const [key, value, more] = only.children;
    if (/^MAP/.test(annotation ?? '') && key !== undefined && more === undefined) {
      return {
        kind: 'map',
        ...base,
        key: nodeOf(key, definition + 1, repetition + 1),
        value: value === undefined ? null : nodeOf(value, definition + 1, repetition + 1),
        itemDefinition: definition + 1,
        itemRepetition: repetition + 1,
      };
    }
  }
  const fields = children.map((child) => nodeOf(child, definition, repetition));
  return { kind: 'struct', ...base, fields };
}

function listNode(
  list: Field,
  repeated: Field,
  nullable: boolean,
  definition: number,
  repetition: number,
): ListNode {
  const wrapped = list === repeated ? undefined : wrappedElement(list, repeated);
  return {
    kind: 'list',
    name: list.element.name,
    nullable,
    definition,
    element:
      wrapped === undefined
        ? presentNode(repeated, false, definition + 1, repetition + 1)
        : nodeOf(wrapped, definition + 1, repetition + 1),
    itemDefinition: definition + 1,
    itemRepetition: repetition + 1,
  };
}

/**
 * The element of a list of three levels; undefined for one of two levels, where the repeated field
 * is the element itself (the rules of backward compatibility in the format's LogicalTypes.md).
 */
function wrappedElement(list: Field, repeated: Field): Field | undefined {
  const [only, more] = repeated.children;
  const name = repeated.element.name;
  if (only === undefined || more !== undefined) return undefined;
  if (only.element.repetition_type === 'REPEATED') return undefined;
  return name === 'array' || name === `${list.element.name}_tuple` ? undefined : only;
}
