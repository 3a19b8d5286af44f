import { isIndex, pointerSteps } from './pointer.ts';

/**
 * The wanted pointers as a tree that is walked along with a record: what no pointer leads to is
 * passed over. A value's `slots` are the places of the pointers that end there.
 */
export interface FieldNode {
  readonly name: string;
  /** Its index among its siblings. */
  readonly place: number;
  /** Its name in UTF-8, as it stands in a file that does not escape it. */
  readonly bytes: Buffer;
  readonly slots: number[];
  /** Slots of this value and of all within it. */
  readonly below: number[];
  readonly children: FieldNode[];
  /** Children by `nameHash`. */
  readonly byHash: Map<number, FieldNode[]>;
  /** Children by index, where the value is an array. */
  readonly byIndex: Map<number, FieldNode>;
  /** The child that came last: the next one is looked for behind it first. */
  last: number;
}

/** `slots`: of each pointer; one that has none (null) is known, and not wanted. */
export function fieldTree(
  pointers: readonly string[],
  slots: readonly (number | null)[] = [...pointers.keys()],
): FieldNode {
  const root = newNode('', 0);
  for (const [index, pointer] of pointers.entries()) {
    let node = root;
    const path = [root];
    for (const step of pointerSteps(pointer)) {
      node = childNamed(node, step);
      path.push(node);
    }
    const slot = slots[index] ?? null;
    if (slot === null) continue;
    node.slots.push(slot);
    for (const above of path) above.below.push(slot);
  }
  return root;
}

function newNode(name: string, place: number): FieldNode {
  return {
    ...{ name, place, bytes: Buffer.from(name), slots: [], below: [], children: [], last: -1 },
    byHash: new Map(),
    byIndex: new Map(),
  };
}

function childNamed(parent: FieldNode, name: string): FieldNode {
  const known = parent.children.find((child) => child.name === name);
  if (known !== undefined) return known;
  const child = newNode(name, parent.children.length);
  parent.children.push(child);
  const hash = nameHash(child.bytes, 0, child.bytes.length);
  parent.byHash.set(hash, [...(parent.byHash.get(hash) ?? []), child]);
  if (isIndex(name)) parent.byIndex.set(Number(name), child);
  return child;
}

/** The child whose name are the bytes `[from, to)`, which have no escapes. */
export function childAt(
  parent: FieldNode,
  bytes: Buffer,
  from: number,
  to: number,
): FieldNode | null {
  const { children } = parent;
  const next = children[parent.last + 1];
  if (next !== undefined && isNamed(next, bytes, from, to)) {
    parent.last++;
    return next;
  }
  for (const child of parent.byHash.get(nameHash(bytes, from, to)) ?? []) {
    if (!isNamed(child, bytes, from, to)) continue;
    parent.last = child.place;
    return child;
  }
  return null;
}

/** Few names of one record share it, so that most names that are not wanted cost one look. */
function nameHash(bytes: Buffer, from: number, to: number): number {
  if (from === to) return 0;
  const [first, middle, last] = [bytes[from], bytes[(from + to) >> 1], bytes[to - 1]];
  return (((to - from) & 0x7f) << 24) | ((first ?? 0) << 16) | ((middle ?? 0) << 8) | (last ?? 0);
}

function isNamed({ bytes: name }: FieldNode, bytes: Buffer, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let index = 0; index < name.length; index++) {
    if (name[index] !== bytes[from + index]) return false;
  }
  return true;
}
