/** The type of the values that a JSON Schema (of the forms that ours uses) allows. */
export type ValueOf<S> = S extends { readonly const: infer C }
  ? C
  : S extends { readonly enum: readonly (infer E)[] }
    ? E
    : S extends { readonly anyOf: readonly (infer A)[] }
      ? ValueOfEach<A>
      : S extends { readonly type: 'array'; readonly items: infer I }
        ? readonly ValueOf<I>[]
        : S extends {
              readonly type: 'object';
              readonly properties: infer P;
              readonly required: readonly (infer R)[];
            }
          ? Flat<
              { readonly [K in keyof P as K extends R ? K : never]: ValueOf<P[K]> } & {
                readonly [K in keyof P as K extends R ? never : K]?: ValueOf<P[K]>;
              }
            >
          : S extends {
                readonly type: 'object';
                readonly additionalProperties: infer V extends object;
              }
            ? Readonly<Record<string, ValueOf<V>>>
            : S extends { readonly type: 'string' }
              ? string
              : S extends { readonly type: 'integer' | 'number' }
                ? number
                : S extends { readonly type: 'boolean' }
                  ? boolean
                  : S extends { readonly type: 'null' }
                    ? null
                    : never;
type ValueOfEach<A> = A extends unknown ? ValueOf<A> : never;

/** Spelt out, as an intersection is not. */
export type Flat<T> = { [K in keyof T]: T[K] };
