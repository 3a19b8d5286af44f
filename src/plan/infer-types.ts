import { fitsSqlType, unifySqlTypes } from './sql-types.ts';
import { holds, INFERRED_TYPES, type InferredType } from './value-types.ts';

/**
 * What is known of one column of a table that is to be created, over all files that bring it. Values
 * only ever strike out candidates, so the order of files and rows, and seeing a value twice, make no
 * difference.
 */
export interface ColumnEvidence {
  /** From Parquet: the one type that holds all its files; text where none does; null: no Parquet. */
  readonly declared: string | null;
  /** Whether all values of CSV files fit `declared`. */
  fitsDeclared: boolean;
  candidates: readonly InferredType[];
  /** Values seen, NULL not counted. */
  values: number;
}

/** `declaredTypes`: the SQL types of the column in each Parquet file that brings it. */
export function newEvidence(declaredTypes: readonly string[]): ColumnEvidence {
  return {
    declared: unifySqlTypes(declaredTypes),
    fitsDeclared: true,
    candidates: INFERRED_TYPES,
    values: 0,
  };
}

/**
 * Takes one value of a CSV file into account. Many writers quote every field, so an empty text says
 * nothing of the type where empty means NULL: in a column of numbers it is loaded as NULL.
 */
export function observe(
  evidence: ColumnEvidence,
  value: string | null,
  emptyIsNull: boolean,
): void {
  if (value === null || (value === '' && emptyIsNull)) return;
  evidence.values++;
  if (evidence.declared !== null) {
    evidence.fitsDeclared &&= fitsSqlType(evidence.declared, value);
  } else if (!evidence.candidates.every((type) => holds(type, value))) {
    evidence.candidates = evidence.candidates.filter((type) => holds(type, value));
  }
}

/**
 * Takes one value of a JSON file into account, which says more of its type: a string is no number,
 * whatever its spelling, and any number is exact as numeric.
 */
export function observeJson(
  evidence: ColumnEvidence,
  value: string | null,
  isString: boolean,
): void {
  if (value === null) return;
  evidence.values++;
  if (evidence.declared !== null) {
    evidence.fitsDeclared &&= fitsSqlType(evidence.declared, value);
    return;
  }
  const kept = evidence.candidates.filter((type) =>
    isString ? OF_STRINGS.has(type) && holds(type, value) : holdsJson(type, value),
  );
  if (kept.length < evidence.candidates.length) evidence.candidates = kept;
}

const OF_STRINGS: ReadonlySet<InferredType> = new Set(['date', 'timestamp', 'timestamptz', 'uuid']);

function holdsJson(type: InferredType, value: string): boolean {
  return type === 'numeric' ? /^[-\d]/.test(value) : holds(type, value);
}

/**
 * The type of the column. Parquet's own wins where the sampled values of CSV files fit it. A column
 * without a value is text: any guess would refuse what comes later.
 */
export function inferredType(evidence: ColumnEvidence): string {
  if (evidence.declared !== null) return evidence.fitsDeclared ? evidence.declared : 'text';
  if (evidence.values === 0) return 'text';
  return evidence.candidates[0] ?? 'text';
}
