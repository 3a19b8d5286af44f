/**
 * A closed range of the leading key column. `integer`: bigint in decimal; `bytes`: text whose UTF-8
 * bytes compare as the database compares them (collate "C"). Plain JSON. Null: not known.
 */
export interface KeyRange {
  readonly kind: 'integer' | 'bytes';
  readonly min: string;
  readonly max: string;
}

/** Whether two ranges may share a key. What is not known, or not comparable, may. */
export function rangesMeet(a: KeyRange | null, b: KeyRange | null): boolean {
  if (a === null || b === null || a.kind !== b.kind) return true;
  const compare = a.kind === 'integer' ? compareIntegers : compareBytes;
  return compare(a.min, b.max) <= 0 && compare(b.min, a.max) <= 0;
}

function compareIntegers(a: string, b: string): number {
  const left = BigInt(a);
  const right = BigInt(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}
