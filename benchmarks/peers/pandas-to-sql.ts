import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoted } from '../../src/target/names.ts';
import { runPeerCommand, withFolder } from './measured-command.ts';
import { columnList, onConflict } from './merge-sql.ts';
import type { PeerCandidate, PeerJob } from './peer.ts';
import { PYTHON_SAYS_ERRORS, pythonWith } from './python.ts';

const NAME = 'pandas to_sql';
const MODULES = ['psycopg2', 'pandas', 'sqlalchemy'];
const STAGE = 'peer_pandas_stage';

export const pandasToSql: PeerCandidate = {
  name: NAME,
  does: 'Python, file after file: read_csv as text, to_sql (method "multi", 1,000 rows) into a staging table, then one INSERT … SELECT … ON CONFLICT DO UPDATE with casts.',
  deterministic: true,
  maxRows: 100_000,
  missing: async () =>
    (await pythonWith(...MODULES)) === null ? `Python lacks one of ${MODULES.join(', ')}` : null,
  run: (job) =>
    withFolder(async (folder) => {
      const [script, settings] = [join(folder, 'load.py'), join(folder, 'job.json')];
      const facts = { stage: STAGE, merge: castingMerge(job), files: job.files };
      await writeFile(settings, JSON.stringify(facts));
      await writeFile(script, SCRIPT);
      const python = (await pythonWith(...MODULES)) ?? 'python3';
      return runPeerCommand(NAME, [python, '-W', 'ignore', script, settings], job);
    }),
};

/** The staging table that pandas makes holds text; its index is the number of the row. */
function castingMerge(job: PeerJob): string {
  const typed = job.columns
    .map(({ name, sqlType }) => `${quoted(name)}::${sqlType} as ${quoted(name)}`)
    .join(', ');
  const keys = job.key.map(quoted).join(', ');
  const list = columnList(job);
  return (
    `insert into ${job.table} (${list}) select distinct on (${keys}) ${list} ` +
    `from (select ${typed}, peer_line from ${STAGE}) typed ` +
    `order by ${keys}, peer_line desc ${onConflict(job)}`
  );
}

const SCRIPT = `
import json, sys
import pandas
import psycopg2
import sqlalchemy

${PYTHON_SAYS_ERRORS}
with open(sys.argv[1], encoding="utf-8") as settings:
    job = json.load(settings)

engine = sqlalchemy.create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(""))
try:
    for path in job["files"]:
        frame = pandas.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
        with engine.begin() as connection:
            frame.to_sql(job["stage"], connection, if_exists="replace", index=True,
                         index_label="peer_line", method="multi", chunksize=1000)
            connection.exec_driver_sql(job["merge"].replace("%", "%%"))
finally:
    with engine.begin() as connection:
        connection.exec_driver_sql("drop table if exists " + job["stage"])
`;
