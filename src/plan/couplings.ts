import type { Coupling, TargetColumn, TargetTable, UniqueIndex } from '../target/table.ts';
import type { FilePlan } from './plan-types.ts';
import type { Target } from './target-table.ts';

/** Of a load of these files. */
export function couplingsOf(
  { existing, planned, key }: Pick<Target, 'existing' | 'planned' | 'key'>,
  files: readonly FilePlan[],
): readonly Coupling[] {
  if (existing === null) return notHashable(planned.columns, key);
  return findCouplings(existing, key, brought(files));
}

/** Columns of the table that the files to be loaded bring. */
export function brought(files: readonly FilePlan[]): Set<string> {
  // Many files share a mapping: those with the same header, and all documents.
  const mappings = new Set(files.filter(({ skip }) => skip === null).map(({ targets }) => targets));
  return new Set([...mappings].flatMap((targets) => targets.filter((name) => name !== null)));
}

/**
 * What couples rows of different keys, so that merges that share no key could still not be swapped:
 * the load is then merged in order. `brought`: the columns of the table that the files bring.
 */
export function findCouplings(
  table: TargetTable,
  key: readonly string[],
  brought: ReadonlySet<string>,
): readonly Coupling[] {
  return [
    ...otherUniqueIndexes(table, key, brought),
    ...table.exclusionConstraints.map((name) => coupling('exclusion constraint', name)),
    ...table.rowTriggers.map((name) => coupling('row trigger', name)),
    ...(table.statementTriggers ?? []).map((name) => coupling('statement trigger', name)),
    ...table.rules.map((name) => coupling('rule', name)),
    ...table.selfReferences.map((name) => coupling('self-reference', name)),
    ...notHashable(table.columns, key),
  ];
}

/** Of a table without anything but its key, as the planner creates it. */
function notHashable(
  columns: readonly TargetColumn[],
  key: readonly string[],
): readonly Coupling[] {
  return columns
    .filter((column) => key.includes(column.name) && !column.type.hashable)
    .map((column) => ({
      kind: 'key not hashable',
      name: column.name,
      sentence: `the database cannot hash the key column ${column.name} (${column.type.declared}), so no two files can be proved to share no key`,
    }));
}

/**
 * A unique index that has a column which no file brings and which gets a value of its own in each new
 * row (an identity, a sequence) cannot be violated by what the files hold. With a constant default
 * there it can, and so it can on a generated column, which is made of what the files bring. With
 * `append` the primary key counts, too: which of two files fails on it is decided by their order.
 */
function otherUniqueIndexes(
  table: TargetTable,
  key: readonly string[],
  brought: ReadonlySet<string>,
): Coupling[] {
  const distinct = new Set(
    table.columns
      .filter((column) => column.distinctDefault === true && !brought.has(column.name))
      .map((column) => column.name),
  );
  return table.uniqueIndexes
    .filter((index) => !enforces(index, key))
    .filter((index) => !index.columns.some((name) => distinct.has(name)))
    .map((index) => coupling('unique index', index.name));
}

/** Whether an index keeps two rows from having the same key. */
export function enforces({ arbiter, columns }: UniqueIndex, key: readonly string[]): boolean {
  return arbiter && columns.length === key.length && columns.every((name) => key.includes(name));
}

/** Whether one of them refuses a row because of a row of another key. */
export function mayRefuse(couplings: readonly Coupling[]): boolean {
  return couplings.some(({ kind }) => kind === 'unique index' || kind === 'exclusion constraint');
}

/**
 * The columns on whose values alone it depends which rows they refuse. Null where that may be any column: of
 * an index over an expression or with a condition, of a generated column, of an exclusion.
 */
export function refusingColumns(
  { columns, uniqueIndexes }: Pick<TargetTable, 'columns' | 'uniqueIndexes'>,
  couplings: readonly Coupling[],
): readonly string[] | null {
  const refusing = couplings.filter((coupling) => mayRefuse([coupling]));
  const indexes = uniqueIndexes.filter(({ arbiter, name }) =>
    refusing.some((coupling) => arbiter && coupling.name === name),
  );
  if (indexes.length < refusing.length) return null;
  const names = new Set(indexes.flatMap((index) => index.columns));
  const isMade = columns.some(
    ({ name, generated }) => names.has(name) && (generated === 'stored' || generated === 'virtual'),
  );
  return isMade ? null : [...names];
}

/** Whether one of them is a reference to a row of another key, or of another table of the load. */
export function mayRefer(couplings: readonly Coupling[]): boolean {
  return couplings.some(({ kind }) => kind === 'self-reference' || kind === 'foreign key');
}

function coupling(kind: Coupling['kind'], name: string): Coupling {
  return { kind, name, sentence: `${kind} ${name} could make the order matter` };
}
