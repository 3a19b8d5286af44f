import { createHash } from 'node:crypto';

/** JSON whose objects have their keys in order: the same text for the same data, whoever built it. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    const entries = Object.entries(inner);
    // By UTF-16 code units and not by locale: stable across machines and versions of Node.
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return Object.fromEntries(entries);
  });
}

/** SHA-256 in hex of the canonical JSON of `value`. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** Freezes plain data through and through, and returns it. */
export function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const name in value) {
      const inner = value[name];
      if (typeof inner === 'object') deepFreeze(inner);
    }
  }
  return value;
}
