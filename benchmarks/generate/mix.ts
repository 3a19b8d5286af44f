/**
 * The arithmetic that makes a row out of a key's number and a version: the same in JavaScript, which
 * writes the files, and in SQL, which computes the table that must come out. Both are modulo 2^32.
 * The factors are odd and below 2^31, so that SQL's products of 32-bit numbers fit into a bigint,
 * and so that numbers of one version never collide.
 */
const BY_KEY = 0x7feb352d;
const BY_VERSION = 0x2c1b3c6d;
const SPREAD = 0x31848bab;
export const WORD = 0x1_0000_0000;

/** An unsigned 32-bit number; for one version and seed, another one for each key. */
export function mix(key: number, version: number, seed: number): number {
  const sum = (Math.imul(key, BY_KEY) + Math.imul(version, BY_VERSION) + seed) | 0;
  return Math.imul(sum ^ (sum >>> 15), SPREAD) >>> 0;
}

/** A further 32-bit number of one that is mixed. */
export function remix(mixed: number, salt: 1 | 2 | 3): number {
  return (Math.imul(mixed, SALTS[salt - 1] ?? 1) + salt) >>> 0;
}

const SALTS = [BY_KEY, BY_VERSION, SPREAD];

/** First half of mix(), of SQL expressions; the second half names its result twice. */
export function mixSumSql(key: string, version: string, seed: number): string {
  return `((${key}) * ${BY_KEY} + (${version}) * ${BY_VERSION} + ${seed} & ${WORD - 1})`;
}

export function mixSpreadSql(sum: string): string {
  return `((${sum} # (${sum} >> 15)) * ${SPREAD} & ${WORD - 1})`;
}

export function remixSql(mixed: string, salt: 1 | 2 | 3): string {
  return `(${mixed} * ${SALTS[salt - 1] ?? 1} + ${salt} & ${WORD - 1})`;
}
