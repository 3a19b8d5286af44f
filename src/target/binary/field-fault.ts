/** A value that its PostgreSQL type cannot hold; `index` counts the values given to a converter. */
export class FieldFault extends Error {
  readonly index: number;

  /** `why` continues a sentence about the value: `does not fit into smallint`. */
  constructor(index: number, why: string) {
    super(why);
    this.index = index;
  }
}
