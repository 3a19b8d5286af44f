import { Readable } from 'node:stream';
import type { Connection as PgConnection, Submittable } from 'pg';
import { assert } from '../assert.ts';

/** Types of messages, of the protocol's section "Message Formats". */
const COPY_OUT_RESPONSE = 0x48;
const COPY_DATA = 0x64;
const COPY_DONE = 0x63;
/** The rows, and what may come between: a setting that changed, a notice, a notification. */
const WITHIN: ReadonlySet<number> = new Set([COPY_OUT_RESPONSE, COPY_DATA, 0x53, 0x4e, 0x41]);
/** The type, and four bytes of a length that counts these four. */
const HEADER_BYTES = 5;

/**
 * COPY … TO STDOUT as a stream of its bytes, for `client.query()`. While it runs it reads the socket
 * itself, and gives it back to pg with the first byte that is not its own. It is read to its end, or
 * the connection is of no more use.
 *
 * The server sends each row as a message. Here the rows of one read are moved together in the memory
 * that they came in; the stream of pg-copy-streams cuts each out and joins them again, which costs
 * 0.25 s of CPU more per 1.5 million rows.
 */
export class CopyOut extends Readable implements Submittable {
  readonly #sql: string;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #type = 0;
  /** Bytes of the message that are still to come. */
  #left = 0;
  #socket: Readable | null = null;
  #pgReads: (chunk: Buffer) => void = () => undefined;
  #wanted = false;
  readonly #onReadable = (): void => {
    this.#forward();
  };

  constructor(sql: string) {
    super();
    this.#sql = sql;
  }

  /** Called by pg when its turn has come. */
  submit(connection: PgConnection): void {
    const socket: Readable = connection.stream;
    const [pgReads, another] = socket.listeners('data');
    assert(pgReads !== undefined && another === undefined, 'pg alone reads its socket');
    this.#pgReads = pgReads as (chunk: Buffer) => void;
    this.#socket = socket;
    socket.off('data', this.#pgReads);
    socket.pause();
    socket.on('readable', this.#onReadable);
    connection.query(this.#sql);
  }

  override _read(): void {
    this.#wanted = true;
    this.#forward();
  }

  /** The server's refusal, which pg has read, or a line that is lost. */
  handleError(error: Error): void {
    this.#giveBack();
    this.destroy(error);
  }

  handleCommandComplete(): void {
    // The end of the rows was seen before.
  }

  handleReadyForQuery(): void {
    // It is pg that waits for this.
  }

  #forward(): void {
    while (this.#wanted && this.#socket !== null) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk === null) return;
      this.#take(chunk);
    }
  }

  #take(chunk: Buffer): void {
    let from = 0;
    let rows = 0;
    while (from < chunk.length) {
      if (this.#left === 0) {
        from = this.#takeHeader(chunk, from);
        if (this.#headerBytes > 0) break;
        if (!WITHIN.has(this.#type)) {
          this.#endAt(chunk, from, rows);
          return;
        }
      }
      const until = Math.min(chunk.length, from + this.#left);
      if (this.#type === COPY_DATA) {
        chunk.copyWithin(rows, from, until);
        rows += until - from;
      }
      this.#left -= until - from;
      from = until;
    }
    if (rows > 0) this.#wanted = this.push(chunk.subarray(0, rows));
  }

  /** Where the header ends; one that does not end here is kept, and `#headerBytes` is not 0. */
  #takeHeader(chunk: Buffer, from: number): number {
    const needed = HEADER_BYTES - this.#headerBytes;
    const taken = chunk.copy(this.#header, this.#headerBytes, from, from + needed);
    this.#headerBytes = (this.#headerBytes + taken) % HEADER_BYTES;
    if (taken === needed) {
      this.#type = this.#header[0] ?? 0;
      this.#left = this.#header.readUInt32BE(1) - (HEADER_BYTES - 1);
    }
    return from + taken;
  }

  /** What follows is copied, since whoever takes the rows may write into their memory. */
  #endAt(chunk: Buffer, from: number, rows: number): void {
    const done = this.#type === COPY_DONE;
    const following = Buffer.concat([...(done ? [] : [this.#header]), chunk.subarray(from)]);
    if (rows > 0) this.push(chunk.subarray(0, rows));
    if (done) this.push(null);
    this.#giveBack(following);
  }

  /** From here on pg reads the socket, and these bytes first. */
  #giveBack(following = Buffer.alloc(0)): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.off('readable', this.#onReadable);
    socket.on('data', this.#pgReads);
    if (following.length > 0) this.#pgReads(following);
    process.nextTick(() => socket.resume());
  }
}
