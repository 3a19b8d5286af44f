/** A value that cannot be spelled or written; who knows row and column makes an EtlError of it. */
export class ValueFault extends Error {
  /** The value as people read it. */
  readonly value: string;

  constructor(sentence: string, value: string) {
    super(sentence);
    this.value = value;
  }
}
