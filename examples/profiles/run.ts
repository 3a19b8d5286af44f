import { createWriteStream } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Report } from 'parallel-upsert';
import { defineExample, type Figure, type Scene } from '../support/example.ts';
import { jsonLines, personsAmong, profilesFrom, type Scrape } from './generate.ts';
import { startIngest, type Ingested } from './service.ts';

export interface Posts extends Scrape {
  readonly perPost: number;
  /** Who post at the same time. */
  readonly clients: number;
}

const JOB = fileURLToPath(new URL('job.json', import.meta.url));

/**
 * Posts all profiles to the service, some clients at once; and then loads the same profiles again from
 * one file, by the command line: every row is kept once more, and no username is new.
 */
export const example = defineExample<Posts>({
  name: 'profiles',
  reported: {
    sentence: '500,000 profiles in 6.9 hours, and in 4 minutes after much work.',
    rows: 'profiles',
    msPerRow: (4 * 60_000) / 500_000,
    msPerRowBefore: (6.9 * 3_600_000) / 500_000,
    msPerRowWanted: null,
    rssPeakBytes: null,
  },
  sizes: {
    small: { seed: 1, profiles: 2_000, perPost: 500, clients: 2 },
    full: { seed: 1, profiles: 500_000, perPost: 5_000, clients: 2 },
  },
  run: async (scene, posts) => {
    const all = { inserted: posts.profiles, added: personsAmong(posts.profiles) };
    const posted = await postAll(scene, posts);
    expectEqual('the posts', posted.sums, all);
    const loaded = await loadFile(scene, posts);
    expectEqual('the file', loaded.sums, { ...all, added: 0 });
    const count = posts.profiles.toLocaleString('en-US');
    const reported = '6.9 hours, then 4 minutes';
    return [
      {
        ...{ what: `${count} profiles, posted`, ...seconds(posted.wallMs), reported },
        // The clients share the process of the service.
        load: {
          ...{ rows: posts.profiles, wallMs: posted.wallMs, cpuMs: null, connectionsPeak: null },
          rssPeakBytes: posted.rssPeakBytes,
        },
      },
      { what: `a post of ${posts.perPost}, half of them below`, ...seconds(posted.median) },
      { what: `a post of ${posts.perPost}, at most`, ...seconds(posted.slowest) },
      {
        ...{ what: `${count} profiles, from one file`, ...seconds(loaded.wallMs), reported },
        load: loaded.measured,
      },
      { what: 'from one file: CPU of the client', ...seconds(loaded.cpuMs) },
      { what: 'from one file: memory', value: loaded.rssPeakBytes / 2 ** 20, unit: 'MiB' },
    ];
  },
});

interface Sums {
  readonly inserted: number;
  readonly added: number;
}

async function postAll(scene: Scene, posts: Posts) {
  const service = await startIngest(scene.databaseUrl);
  try {
    const answers: Ingested[] = [];
    const times: number[] = [];
    let next = 0;
    const client = async (): Promise<void> => {
      while (next < posts.profiles) {
        const from = next;
        next = Math.min(posts.profiles, from + posts.perPost);
        const body = JSON.stringify({ profiles: profilesFrom(posts, from, next) });
        const startedAt = performance.now();
        const response = await fetch(service.url, { method: 'POST', body, signal: scene.signal });
        const answer = await response.json();
        if (!response.ok) throw new Error(JSON.stringify(answer));
        answers.push(answer as Ingested);
        times.push(performance.now() - startedAt);
        if (times.length % 20 === 0) scene.say(`${times.length} posts are in`);
      }
    };
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: posts.clients }, client));
    const wallMs = performance.now() - startedAt;
    const sums = {
      inserted: answers.reduce((sum, answer) => sum + answer.inserted_raw, 0),
      added: answers.reduce((sum, answer) => sum + answer.added_to_global, 0),
    };
    times.sort((a, b) => a - b);
    const median = times[Math.floor(times.length / 2)] ?? 0;
    const rssPeakBytes = process.resourceUsage().maxRSS * 1_024;
    return { sums, wallMs, median, slowest: times.at(-1) ?? 0, rssPeakBytes };
  } finally {
    await service.close();
  }
}

async function loadFile(scene: Scene, posts: Posts) {
  await copyFile(JOB, join(scene.folder, 'job.json'));
  const lines = createWriteStream(join(scene.folder, 'profiles.jsonl'));
  await pipeline(Readable.from(jsonLines(posts)), lines);
  const words = ['run', '--config', 'job.json', '--report', 'report.json', '--quiet'];
  const end = await scene.etl(words);
  const report = JSON.parse(await readFile(join(scene.folder, 'report.json'), 'utf8')) as Report;
  const [load] = report.loads;
  const added = load?.targets?.[0]?.inserted ?? -1;
  const { wallMs, cpuMs, rssPeakBytes } = end;
  const { connectionsPeak } = report.resources;
  const measured = { rows: posts.profiles, wallMs, cpuMs, rssPeakBytes, connectionsPeak };
  return { ...end, measured, sums: { inserted: load?.totals.inserted ?? -1, added } };
}

function expectEqual(what: string, found: Sums, expected: Sums): void {
  if (found.inserted === expected.inserted && found.added === expected.added) return;
  throw new Error(`${what}: ${JSON.stringify(found)} and not ${JSON.stringify(expected)}`);
}

function seconds(ms: number): Pick<Figure, 'value' | 'unit'> {
  return { value: ms / 1_000, unit: 's' };
}
