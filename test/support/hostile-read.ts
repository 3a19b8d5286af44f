import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostileFile } from './hostile-bytes.ts';
import type { ReadAnswer, ReadRequest } from './hostile-reader.ts';

/** A read of a few kilobytes takes milliseconds; the bound tells a hang on a busy machine. */
const HANG_MS = 30_000;

export interface HostileReads {
  /** How describing, sampling and reading ended. Throws where it crashes the process, or hangs. */
  read(file: HostileFile): Promise<ReadAnswer>;
  close(): void;
}

/** Reads in a process of its own, under a watchdog. */
export async function openHostileReads(): Promise<HostileReads> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hostile-'));
  const script = fileURLToPath(new URL('./hostile-reader.ts', import.meta.url));
  const child = fork(script, {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 2, 'ipc'],
  });
  await once(child, 'message');
  return {
    read(file) {
      const place = path.join(folder, file.name);
      writeFileSync(place, file.bytes);
      return ask(child, { path: place, csv: file.csv });
    },
    close() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ask(child: ChildProcess, request: ReadRequest): Promise<ReadAnswer> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null): void => {
      reject(new Error(`reading ended the process (${code ?? signal})`));
    };
    const watchdog = setTimeout(() => {
      child.off('exit', onExit).kill('SIGKILL');
      reject(new Error(`reading hangs: no answer within ${HANG_MS} ms`));
    }, HANG_MS);
    child.once('exit', onExit);
    child.once('message', (answer) => {
      clearTimeout(watchdog);
      child.off('exit', onExit);
      resolve(answer as ReadAnswer);
    });
    child.send(request);
  });
}
