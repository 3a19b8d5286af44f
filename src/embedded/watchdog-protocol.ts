import type { Socket } from 'node:net';
import type { ErrorRecord } from '../errors.ts';
import type { Binaries } from './binaries.ts';
import type { ServerSettings } from './settings.ts';

/** One line of JSON each way; from then on the open connection says "I use the server". */
export type WatchdogRequest = StartRequest | StopRequest;

export interface StartRequest {
  readonly kind: 'start';
  /** Whether the server stays when nobody uses it. */
  readonly standing: boolean;
  /** Whether the home folder goes with the server. */
  readonly temporary: boolean;
  /** Taken where this request starts the server; a running one keeps its own. */
  readonly settings: ServerSettings;
  /** Null for those of the npm package. */
  readonly binaries: Binaries | null;
}

export interface StopRequest {
  readonly kind: 'stop';
  readonly binaries: Binaries | null;
}

export type WatchdogReply =
  | {
      readonly kind: 'running';
      readonly pid: number;
      readonly startedHere: boolean;
      readonly version: string;
    }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: ErrorRecord };

/** Both sides are ours and of the same user; the bound is for accidents. */
const LINE_CHARS_MAX = 1024 * 1024;

export function writeLine(socket: Socket, message: WatchdogRequest | WatchdogReply): void {
  socket.write(`${JSON.stringify(message)}\n`);
}

/**
 * The first line that comes, or null where the other side leaves before. Keeps reading (and drops
 * what it reads), since only a socket that is read tells that the other side has left.
 */
export async function readLine<T extends WatchdogRequest | WatchdogReply>(
  socket: Socket,
): Promise<T | null> {
  return new Promise((done) => {
    const leave = (): void => done(null);
    let text: string | null = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      if (text === null) return;
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) done(JSON.parse(text.slice(0, end)) as T);
      if (end >= 0) text = null;
      else if (text.length > LINE_CHARS_MAX) socket.destroy();
    });
    socket.on('end', leave);
    socket.on('close', leave);
  });
}
