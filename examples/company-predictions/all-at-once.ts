import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Figure, Scene } from '../support/example.ts';
import { expectedOf, uploadText, type Uploads } from './generate.ts';
import { createTables, watchSessions } from './tables.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const WAIT_SECONDS = 600;

/** The counts of an upload's answer, as far as they are looked at. */
interface Answer {
  readonly counts: {
    readonly rowsRead: number;
    readonly inserted: number;
    readonly rejected: number;
  };
}

/**
 * All users send their upload at the same moment, to one service that has the model in memory; each
 * waits for the answer that its rows are loaded.
 */
export async function allAtOnce(
  { folder, databaseUrl, signal, say }: Scene,
  job: string,
  uploads: Uploads,
): Promise<Figure[]> {
  await createTables(databaseUrl);
  const bodies = Array.from({ length: uploads.files }, (_, user) => uploadText(uploads, user));
  const token = randomBytes(16).toString('hex');
  const env = { ...process.env, DATABASE_URL: databaseUrl, ETL_SERVE_TOKEN: token };
  const words = [MAIN, 'serve', '--config', job, '--port', '0'];
  const service = spawn(process.execPath, words, {
    ...{ cwd: folder, env, signal },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // How it ends is seen below; an abort is an error here, too.
  service.on('error', () => undefined);
  const sessions = await watchSessions(databaseUrl);
  try {
    const url = await addressOf(service);
    say(`${uploads.files} users upload at once`);
    const startedAt = performance.now();
    const answers = await Promise.all(
      bodies.map(async (body, user) => {
        const answer = await send(`${url}/jobs/job/files`, { token, body, user, signal });
        return { answer, seconds: (performance.now() - startedAt) / 1_000 };
      }),
    );
    expectCounts(
      answers.map(({ answer }) => answer),
      uploads,
    );
    const seconds = answers.map((each) => each.seconds).sort((a, b) => a - b);
    const rows = uploads.files * uploads.rowsPerFile;
    const last = seconds.at(-1) ?? 0;
    const who = `${uploads.files} users at once`;
    return [
      { what: `${who}: wall time per row`, value: (last * 1_000) / rows, unit: 'ms' },
      { what: `${who}: the first answer`, value: seconds[0] ?? 0, unit: 's' },
      { what: `${who}: half of the answers`, value: middleOf(seconds), unit: 's' },
      { what: `${who}: the last answer`, value: last, unit: 's' },
      { what: `${who}: sessions of the database`, value: sessions.most(), unit: '' },
      { what: `${who}: memory of the service`, value: await memoryOf(service), unit: 'MiB' },
    ];
  } finally {
    await sessions.end();
    service.kill('SIGTERM');
    if (service.exitCode === null && service.signalCode === null) await once(service, 'exit');
  }
}

/** `Serving job at http://127.0.0.1:40539`; what it says later is read and dropped. */
function addressOf(service: ChildProcess): Promise<string> {
  let said = '';
  return new Promise((resolve, reject) => {
    service.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(0, 10_000);
      const address = /Serving \S+ at (http:\S+)/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
    service.once('close', () => reject(new Error(`the service ended:\n${said}`)));
  });
}

async function send(
  url: string,
  { token, body, user, signal }: { token: string; body: string; user: number; signal: AbortSignal },
): Promise<Answer> {
  const response = await fetch(`${url}?name=user-${user}.csv&wait=${WAIT_SECONDS}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv' },
    body,
    signal,
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`user ${user}: ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

function expectCounts(answers: readonly Answer[], uploads: Uploads): void {
  const sum = (name: keyof Answer['counts']): number =>
    answers.reduce((total, { counts }) => total + counts[name], 0);
  const { rejected } = expectedOf(uploads);
  const got = JSON.stringify({ rowsRead: sum('rowsRead'), rejected: sum('rejected') });
  const wanted = JSON.stringify({ rowsRead: uploads.files * uploads.rowsPerFile, rejected });
  if (got !== wanted) throw new Error(`the answers count ${got} instead of ${wanted}`);
}

function middleOf(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The most that it ever had, where the system tells (Linux). */
async function memoryOf({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1_024;
}
