import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPeerCommand, withFolder } from './measured-command.ts';
import { columnList, onConflict } from './merge-sql.ts';
import type { PeerCandidate, PeerJob, PeerUsage } from './peer.ts';

export const multiRowInsert: PeerCandidate = {
  name: 'multi-row INSERT',
  does: 'Node, file after file in a transaction of its own: INSERT … VALUES … ON CONFLICT DO UPDATE of 100 rows with parameters, as ORMs send it.',
  deterministic: true,
  maxRows: 300_000,
  missing: async () => null,
  run: (job) => runNode('multi-row INSERT', job, 100),
};

export const rowByRow: PeerCandidate = {
  name: 'row by row',
  does: 'Node, file after file in a transaction of its own: one prepared INSERT … ON CONFLICT DO UPDATE for each row.',
  deterministic: true,
  maxRows: 50_000,
  missing: async () => null,
  run: (job) => runNode('row by row', job, 1),
};

/** A process of its own, so that its CPU and memory are not mistaken for the benchmark's. */
function runNode(name: string, job: PeerJob, rows: number): Promise<PeerUsage> {
  return withFolder(async (folder) => {
    const [script, settings] = [join(folder, 'load.mjs'), join(folder, 'job.json')];
    const facts = {
      requireFrom: import.meta.url,
      insert: `insert into ${job.table} (${columnList(job)}) values`,
      onConflict: onConflict(job),
      width: job.columns.length,
      keyPlaces: job.key.map((key) => job.columns.findIndex(({ name: one }) => one === key)),
      rows,
      files: job.files,
    };
    await writeFile(settings, JSON.stringify(facts));
    await writeFile(script, SCRIPT);
    return runPeerCommand(name, [process.execPath, script, settings], job);
  });
}

/**
 * The script lies in a temporary folder and takes the packages from here. A statement may not
 * touch a row twice, so of equal keys in a batch the last row is kept.
 */
const SCRIPT = `
import { createReadStream, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const require = createRequire(job.requireFrom);
const pg = require('pg');
const { parse } = require('csv-parse');

function statementOf(count) {
  const tuples = Array.from({ length: count }, (_, row) => {
    const places = Array.from({ length: job.width }, (_, column) => '$' + (row * job.width + column + 1));
    return '(' + places.join(', ') + ')';
  });
  return job.insert + ' ' + tuples.join(', ') + ' ' + job.onConflict;
}

async function send(client, batch) {
  const last = new Map();
  for (const row of batch) last.set(JSON.stringify(job.keyPlaces.map((place) => row[place])), row);
  const rows = [...last.values()];
  await client.query({ name: 'insert-' + rows.length, text: statementOf(rows.length), values: rows.flat() });
}

process.on('uncaughtException', (error) => {
  console.error('ERROR: ' + error.message);
  process.exit(1);
});

const client = new pg.Client();
await client.connect();
for (const file of job.files) {
  await client.query('begin');
  const cast = (value, { quoting }) => (value === '' && !quoting ? null : value);
  let batch = [];
  for await (const row of createReadStream(file).pipe(parse({ from_line: 2, cast }))) {
    if (batch.push(row) < job.rows) continue;
    await send(client, batch);
    batch = [];
  }
  if (batch.length > 0) await send(client, batch);
  await client.query('commit');
}
await client.end();
`;
