import type { NestedValue, PhysicalValue } from './column-batch.ts';
import { physicalAt } from './column-batch.ts';
import type { ColumnReader } from './column-reader.ts';
import type { DataPage } from './data-page.ts';
import type { OpenParquet } from './open-parquet.ts';
import { openPages } from './page-reader.ts';
import type { ChunkPlace, PageReader } from './page-reader.ts';
import { PageFault, parquetErrorOf } from './parquet-fault.ts';
import { leavesOf } from './parquet-schema.ts';
import type { LeafNode, SchemaNode } from './parquet-schema.ts';

/**
 * Rows of a nested column, put together from its leaves by their levels (Dremel).
 *
 * hyparquet's own assembly was tried first and rejected: its maps become JavaScript objects, so
 * integer keys change their order, bytes as keys turn into "1,2,3", and keys that differ only in
 * type collapse; a list that only carries the newer annotation is not recognized as one.
 */
export async function openNestedColumn(
  parquet: OpenParquet,
  node: SchemaNode,
  place: ChunkPlace,
): Promise<ColumnReader> {
  const leaves: LeafEntries[] = [];
  for (const leaf of leavesOf(node)) {
    leaves.push(openLeaf(leaf, await openPages(parquet, leaf, place)));
  }
  const byLeaf = new Map(leaves.map((entries) => [entries.leaf, entries]));
  const rowsHeld = (): number => Math.min(...leaves.map((entries) => entries.rows()));

  return {
    async fill() {
      try {
        for (const entries of leaves) {
          while (entries.rows() === 0 && (await entries.load()));
        }
        return rowsHeld();
      } catch (error) {
        throw parquetErrorOf(error, { ...place, file: parquet.file.name });
      }
    },
    take(rows) {
      try {
        const values: NestedValue[] = [];
        for (let row = 0; row < rows; row++) values.push(assemble(node, byLeaf));
        for (const entries of leaves) entries.taken(rows);
        return { kind: 'nested', values };
      } catch (error) {
        throw parquetErrorOf(error, { ...place, file: parquet.file.name });
      }
    },
    // The pages of the leaves end at different rows, so whole pages cannot be left out in step.
    skip: async () => 0,
    bytesOf: (rows) =>
      leaves.reduce((sum, entries) => sum + rows * (16 + entries.bytesPerRow()), 0),
  };
}

/** The entries of one leaf, read one after the other; pages are loaded ahead of them. */
interface LeafEntries {
  readonly leaf: LeafNode;
  /** Rows that are there wholly. A row may go on in the next page. */
  rows(): number;
  /** Loads one more page; false at the end. */
  load(): Promise<boolean>;
  taken(rows: number): void;
  bytesPerRow(): number;
  /** Levels of the next entry; -1 where there is none. */
  definition(): number;
  repetition(): number;
  /** The value of the next entry, or null, and goes on to the entry after it. */
  next(): PhysicalValue | null;
}

function openLeaf(leaf: LeafNode, reader: PageReader): LeafEntries {
  const pages: DataPage[] = [];
  let rowsBegun = 0;
  let first = true;
  let ended = false;
  let entry = 0;
  let value = 0;
  let bytesPerRow = 0;

  function page(): DataPage | undefined {
    const first = pages[0];
    if (first === undefined || entry < first.entries) return first;
    pages.shift();
    entry = 0;
    value = 0;
    return page();
  }

  return {
    leaf,
    // Where nothing repeats, a row is an entry; else its end shows where the next row begins.
    rows: () => (ended || leaf.repetition === 0 ? rowsBegun : Math.max(0, rowsBegun - 1)),
    async load() {
      const next = await reader.next();
      if (next === null) {
        const more = !ended;
        ended = true;
        return more;
      }
      if (first && (next.repetitions?.[0] ?? 0) !== 0)
        throw new PageFault('it begins in the middle of a row');
      first = false;
      const rows = rowsBegunIn(next);
      pages.push(next);
      rowsBegun += rows;
      bytesPerRow = next.bytes / Math.max(1, rows);
      return true;
    },
    taken(rows) {
      rowsBegun -= rows;
    },
    bytesPerRow: () => bytesPerRow,
    definition() {
      const current = page();
      if (current === undefined) return -1;
      return current.definitions === null ? leaf.definition : (current.definitions[entry] ?? 0);
    },
    repetition: () => page()?.repetitions?.[entry] ?? 0,
    next() {
      const current = page();
      if (current === undefined) throw new PageFault('its leaves have different numbers of values');
      const present =
        current.definitions === null || current.definitions[entry] === leaf.definition;
      entry++;
      if (!present) return null;
      const { values, indexes } = current;
      const index = value++;
      return physicalAt(values, indexes === null ? index : (indexes[index] ?? 0));
    },
  };
}

function rowsBegunIn({ repetitions, entries }: DataPage): number {
  if (repetitions === null) return entries;
  let rows = 0;
  for (const level of repetitions) if (level === 0) rows++;
  return rows;
}

type Leaves = ReadonlyMap<LeafNode, LeafEntries>;

/** Takes one value of the node: of each leaf below it at least one entry. */
function assemble(node: SchemaNode, leaves: Leaves): NestedValue {
  if (node.kind === 'leaf') return entriesOf(node, leaves).next();
  const guide = entriesOf(firstLeaf(node), leaves);
  if (guide.definition() < node.definition) {
    skipEntry(node, leaves);
    return null;
  }
  if (node.kind === 'struct') return node.fields.map((field) => assemble(field, leaves));
  const items: NestedValue[] = [];
  if (guide.definition() < node.itemDefinition) {
    skipEntry(node, leaves);
    return items;
  }
  do {
    if (node.kind === 'list') items.push(assemble(node.element, leaves));
    else {
      const key = assemble(node.key, leaves);
      items.push([key, node.value === null ? null : assemble(node.value, leaves)]);
    }
  } while (guide.repetition() === node.itemRepetition);
  return items;
}

/** A null or an empty list is one entry in every leaf below it. */
function skipEntry(node: SchemaNode, leaves: Leaves): void {
  for (const leaf of leavesOf(node)) entriesOf(leaf, leaves).next();
}

function firstLeaf(node: SchemaNode): LeafNode {
  switch (node.kind) {
    case 'leaf':
      return node;
    case 'list':
      return firstLeaf(node.element);
    case 'map':
      return firstLeaf(node.key);
    case 'struct': {
      const [first] = node.fields;
      if (first === undefined) throw new PageFault('a group of its schema has no fields');
      return firstLeaf(first);
    }
  }
}

function entriesOf(leaf: LeafNode, leaves: Leaves): LeafEntries {
  const entries = leaves.get(leaf);
  if (entries === undefined) throw new PageFault('its schema and its column chunks differ');
  return entries;
}
