import { snappyUncompressor } from 'hysnappy';
import { present } from '../../assert.ts';

/** The WebAssembly of hysnappy: C that decodes from one place of its memory to another. */
export interface SnappyModule {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): void };
  /** Where the memory begins that C does not use itself. */
  readonly __heap_base: { readonly value: number };
  /** Returns 0, or what is wrong with the input; traps where it would leave its memory. */
  uncompress(input: number, inputLength: number, output: number): number;
}

/** As far as it is needed here; the types of Node leave it out. */
interface Assembly {
  Instance: new (...given: unknown[]) => { readonly exports: unknown };
}

/**
 * A module of its own at each call. The library gives out every page as a new array, and V8 collects
 * garbage after so many bytes of these: 1.5 million rows of 8 columns, 110 MB of pages, took 6 to 10 full
 * collections, and 2 to 5 where pages are copied from the module's memory into memory that is used again; a
 * twelfth of the client's CPU. The library keeps its instance to itself, so that it is taken while it is made,
 * which nobody else can do meanwhile: nothing is awaited.
 */
export function openSnappyModule(): SnappyModule {
  const assembly = (globalThis as unknown as { readonly WebAssembly: Assembly }).WebAssembly;
  const { Instance } = assembly;
  const made: unknown[] = [];
  assembly.Instance = class extends Instance {
    constructor(...given: unknown[]) {
      super(...given);
      made.push(this.exports);
    }
  };
  try {
    snappyUncompressor();
  } finally {
    assembly.Instance = Instance;
  }
  return present(made[0], 'the module of hysnappy') as SnappyModule;
}
