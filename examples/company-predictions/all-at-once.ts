import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Figure, Scene } from '../support/example.ts';
import { expectedOf, rowsOf, uploadText, type Uploads } from './generate.ts';
import { readModel } from './model.ts';
import { createTables, totalsOf, watchSessions } from './tables.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const MODEL = new URL('model.json', import.meta.url);
const WAIT_SECONDS = 600;

/** The counts of an upload's answer, as far as they are looked at. */
interface Answer {
  readonly counts: {
    readonly rowsRead: number;
    readonly inserted: number;
    readonly rejected: number;
  };
}

/** Users who send uploads at the same moment, one after another where there are more than users. */
export interface Crowd {
  readonly users: number;
  readonly uploads: Uploads;
}

/**
 * All users send their uploads to one service that has the model in memory; each waits for the answer
 * that its rows are loaded.
 */
export async function allAtOnce(
  { folder, databaseUrl, signal, say }: Scene,
  job: string,
  { users, uploads }: Crowd,
): Promise<Figure[]> {
  await createTables(databaseUrl);
  const bodies = Array.from({ length: uploads.files }, (_, file) => uploadText(uploads, file));
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
    say(`${users} users send ${uploads.files} uploads`);
    const cpuBefore = await cpuOf(service);
    const startedAt = performance.now();
    const answers: { readonly answer: Answer; readonly seconds: number }[] = [];
    let next = 0;
    const sendAll = async (): Promise<void> => {
      for (let place = next++; place < bodies.length; place = next++) {
        const sent = { token, body: bodies[place] ?? '', place, signal };
        const answer = await send(`${url}/jobs/job/files`, sent);
        answers.push({ answer, seconds: (performance.now() - startedAt) / 1_000 });
      }
    };
    await Promise.all(Array.from({ length: users }, sendAll));
    expectCounts(
      answers.map(({ answer }) => answer),
      uploads,
    );
    await expectRows(databaseUrl, uploads);
    const seconds = answers.map((each) => each.seconds).sort((a, b) => a - b);
    const last = seconds.at(-1) ?? 0;
    const who = `${uploads.files.toLocaleString('en-US')} uploads of ${users} users`;
    const cpuMs = ((await cpuOf(service)) - cpuBefore) * 1_000;
    return [
      { what: `${who}: wall time per row`, value: (last * 1_000) / rowsOf(uploads), unit: 'ms' },
      { what: `${who}: wall time per upload`, value: (last * 1_000) / uploads.files, unit: 'ms' },
      { what: `${who}: CPU of the service per upload`, value: cpuMs / uploads.files, unit: 'ms' },
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

interface Sent {
  readonly token: string;
  readonly body: string;
  /** Of the upload. */
  readonly place: number;
  readonly signal: AbortSignal;
}

async function send(url: string, { token, body, place, signal }: Sent): Promise<Answer> {
  const response = await fetch(`${url}?name=upload-${place}.csv&wait=${WAIT_SECONDS}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv' },
    body,
    signal,
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`upload ${place}: ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

function expectCounts(answers: readonly Answer[], uploads: Uploads): void {
  const sum = (name: keyof Answer['counts']): number =>
    answers.reduce((total, { counts }) => total + counts[name], 0);
  const { rejected } = expectedOf(uploads);
  const got = JSON.stringify({ rowsRead: sum('rowsRead'), rejected: sum('rejected') });
  const wanted = JSON.stringify({ rowsRead: rowsOf(uploads), rejected });
  if (got !== wanted) throw new Error(`the answers count ${got} instead of ${wanted}`);
}

/** In whatever order the uploads came: of rows with the same key one stays. */
async function expectRows(databaseUrl: string, uploads: Uploads): Promise<void> {
  const { rows } = await totalsOf(databaseUrl, await readModel(MODEL));
  const expected = expectedOf(uploads).rows;
  if (rows !== expected) throw new Error(`the table holds ${rows} rows instead of ${expected}`);
}

function middleOf(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The most that it ever had, where the system tells (Linux). */
async function memoryOf({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1_024;
}

/** Seconds of CPU so far, where the system tells (Linux), which counts them in hundredths. */
async function cpuOf({ pid }: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? NaN) + Number(fields[12] ?? NaN)) / 100;
}
