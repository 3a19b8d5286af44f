import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPeerCommand, withFolder } from './measured-command.ts';
import { columnList, onConflict } from './merge-sql.ts';
import type { PeerCandidate } from './peer.ts';
import { PYTHON_SAYS_ERRORS, pythonWith } from './python.ts';

const NAME = 'psycopg2 execute_values';
const ROWS_PER_STATEMENT = 1_000;

export const executeValues: PeerCandidate = {
  name: NAME,
  does: 'Python, file after file in a transaction of its own: INSERT … VALUES … ON CONFLICT DO UPDATE of 1,000 rows by psycopg2.extras.execute_values.',
  deterministic: true,
  maxRows: 500_000,
  missing: async () =>
    (await pythonWith('psycopg2')) === null ? 'Python has no module psycopg2' : null,
  run: (job) =>
    withFolder(async (folder) => {
      const [script, settings] = [join(folder, 'load.py'), join(folder, 'job.json')];
      const keyPlaces = job.key.map((name) => job.columns.findIndex((one) => one.name === name));
      const sql = `insert into ${job.table} (${columnList(job)}) values %s ${onConflict(job)}`;
      const rows = ROWS_PER_STATEMENT;
      await writeFile(settings, JSON.stringify({ sql, keyPlaces, rows, files: job.files }));
      await writeFile(script, SCRIPT);
      const python = (await pythonWith('psycopg2')) ?? 'python3';
      return runPeerCommand(NAME, [python, script, settings], job);
    }),
};

/** A statement may not touch a row twice, so of equal keys in a batch the last row is kept. */
const SCRIPT = `
import csv, itertools, json, sys
import psycopg2
from psycopg2.extras import execute_values

${PYTHON_SAYS_ERRORS}
with open(sys.argv[1], encoding="utf-8") as settings:
    job = json.load(settings)

connection = psycopg2.connect("")
for path in job["files"]:
    with open(path, newline="", encoding="utf-8") as file, connection.cursor() as cursor:
        rows = csv.reader(file)
        next(rows, None)
        while batch := list(itertools.islice(rows, job["rows"])):
            last = {}
            for row in batch:
                last[tuple(row[place] for place in job["keyPlaces"])] = [
                    None if field == "" else field for field in row
                ]
            execute_values(cursor, job["sql"], list(last.values()), page_size=job["rows"])
    connection.commit()
connection.close()
`;
