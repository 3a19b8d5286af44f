import type { Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FileHandle } from 'node:fs/promises';
import { LIMITS } from '../limits.ts';
import { Refusal } from './refusal.ts';

/** What a body may cost. */
export interface BodyGuard {
  /** Called with the bytes of each chunk; throws where it is one too many. */
  readonly onBytes: (bytes: number) => void;
  /** Gets what comes, where somebody wants to know it again. */
  readonly hash: Hash | null;
  readonly idleMs: number;
  /** Aborted where no more bodies are taken; its reason is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Writes a stream to a file, as fast as the disk takes it, so that no more than a chunk is in memory.
 * On an error the stream is left paused, and not destroyed: its sender is still to be answered.
 *
 * @throws Refusal 400 where it is cut off, 408 where it is silent; what `onBytes` and the signal throw
 */
export async function receiveInto(
  file: FileHandle,
  stream: Readable,
  guard: BodyGuard,
): Promise<number> {
  let bytes = 0;
  let writing: Promise<void> = Promise.resolve();
  let idle: NodeJS.Timeout | undefined;
  const off: (() => void)[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown): void =>
        reject(error instanceof Error ? error : new Error(String(error)));
      const stop = (): void => fail(guard.signal.reason);
      if (guard.signal.aborted) stop();
      guard.signal.addEventListener('abort', stop);
      off.push(() => guard.signal.removeEventListener('abort', stop));
      idle = setTimeout(() => fail(tooSlow(guard.idleMs)), guard.idleMs);
      const onData = (chunk: Buffer): void => {
        idle?.refresh();
        stream.pause();
        bytes += chunk.length;
        writing = write(file, chunk, guard);
        void writing.then(() => stream.resume(), fail);
      };
      // The end comes with the last chunk, paused or not, and that one is still to be written.
      const onEnd = (): void => void writing.then(resolve, fail);
      const onError = (error: Error): void => fail(cutOff(error.message));
      const onClose = (): void => {
        if (!stream.readableEnded) fail(cutOff('the connection was closed'));
      };
      off.push(() => {
        stream.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      });
      stream.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
      if (stream.destroyed && !stream.readableEnded) fail(cutOff('the connection was closed'));
    });
    return bytes;
  } finally {
    clearTimeout(idle);
    stream.pause();
    for (const remove of off) remove();
    // A stream that fails later has nobody who minds.
    stream.on('error', () => undefined);
  }
}

async function write(file: FileHandle, chunk: Buffer, { onBytes, hash }: BodyGuard): Promise<void> {
  onBytes(chunk.length);
  hash?.update(chunk);
  await file.writeFile(chunk);
}

function cutOff(why: string): Refusal {
  return new Refusal(400, `The body is not complete: ${why}.`, 'Send it again.');
}

export function tooSlow(ms: number): Refusal {
  return new Refusal(
    408,
    `The body did not arrive within ${Math.round(ms / 1000)} s.`,
    'Send it faster, or in smaller pieces.',
    { facts: { limit: ms } },
  );
}

/**
 * Reads and forgets what is still to come of a refused body, within bounds: a sender that is still
 * writing when its connection is closed may never read the answer. False where there is more of it.
 */
export async function readAway(request: IncomingMessage): Promise<boolean> {
  if (request.complete || request.destroyed) return true;
  request.unpipe();
  return new Promise((resolve) => {
    let bytes = 0;
    const done = (complete: boolean): void => {
      clearTimeout(late);
      request.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onEnd);
      if (!complete) request.pause();
      resolve(complete);
    };
    const onEnd = (): void => done(true);
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > LIMITS.serveRefusedBytesMax) done(false);
    };
    const late = setTimeout(() => done(false), LIMITS.serveRefusedMs);
    request.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onEnd);
    request.resume();
  });
}
