/**
 * What JSON Schemas of ours are made of, typed so that a test can hold them equal to the types they
 * describe.
 */

export const text = { type: 'string' } as const;
export const flag = { type: 'boolean' } as const;
export const count = { type: 'integer', minimum: 0 } as const;
export const amount = { type: 'number', minimum: 0 } as const;
export const moment = { type: 'string', format: 'date-time' } as const;
export const nothing = { type: 'null' } as const;
export const maybeText = { anyOf: [text, nothing] } as const;
export const maybeCount = { anyOf: [count, nothing] } as const;
export const maybeAmount = { anyOf: [amount, nothing] } as const;

export interface StrictObject<P, Required> {
  readonly type: 'object';
  readonly description?: string;
  readonly properties: P;
  readonly required: readonly Required[];
  readonly additionalProperties: false;
}

/** An object of these properties and no others, all of them required but the `optional` ones. */
export function strictObject<
  const P extends Readonly<Record<string, object>>,
  const O extends keyof P = never,
>(
  properties: P,
  {
    description,
    optional = [],
  }: { readonly description?: string; readonly optional?: readonly O[] } = {},
): StrictObject<P, Exclude<keyof P, O>> {
  const left: ReadonlySet<string> = new Set(optional as readonly string[]);
  const required = Object.keys(properties).filter((name) => !left.has(name));
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    properties,
    required: required as Exclude<keyof P, O>[],
    additionalProperties: false,
  };
}
