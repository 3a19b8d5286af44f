import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { doorOf } from '../../src/doors.ts';
import { EtlError } from '../../src/errors.ts';
import { defineJob } from '../../src/index.ts';
import type { Job } from '../../src/index.ts';
import { columnsOf } from '../generate/columns.ts';
import type { ChildOrder, ChildReply } from '../measured-run.ts';
import type { Scenario } from '../scenario.ts';
import type { Contender, ContenderLoad, ContenderRun } from './contender.ts';

export function etlContender(
  scenario: Scenario,
  strategy: Contender['strategy'],
  concurrency: number,
): Contender {
  return {
    name: 'etl',
    strategy,
    concurrency,
    formats: scenario.formats,
    rowsMax: null,
    createsTable: true,
    deterministic: true,
    run: async (load) => {
      const job = jobOf(load, strategy ?? 'auto', concurrency);
      return usageOf(await runChild({ databaseUrl: load.databaseUrl, job }, load.signal));
    },
  };
}

/** As `etl run` would be told, with the ledger inside of the schema that goes at the end. */
function jobOf(
  { schema, table, shape, folder }: ContenderLoad,
  strategy: NonNullable<Contender['strategy']>,
  concurrency: number,
): Job {
  const { scenario } = shape;
  const columns = columnsOf(scenario);
  const keyed = scenario.onConflict !== 'append';
  const load = {
    table: `${schema}.${table}`,
    files: ['part-*'],
    key: keyed ? columns.filter(({ key }) => key).map(({ name }) => name) : null,
    onConflict: scenario.onConflict,
    strategy,
    types: Object.fromEntries(columns.map(({ name, sqlType }) => [name, sqlType])),
  };
  const onError = scenario.badRow ? 'quarantine' : 'stop';
  const settings = { concurrency, ledgerSchema: schema, onError } as const;
  return defineJob({ settings, loads: [load] }, folder);
}

function runChild(order: ChildOrder, signal: AbortSignal): Promise<ChildReply> {
  const { url, execArgv } = doorOf('benchmarks/run-child');
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(url), {
      execArgv: [...execArgv],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      signal,
    });
    let reply: ChildReply | null = null;
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-SAID_CHARACTERS_MAX);
    });
    child.on('message', (message) => (reply = message as ChildReply));
    child.on('error', reject);
    // Only then is the process gone, with its last connection.
    child.on('close', (code) => {
      if (reply === null) reject(endedWithoutReply(code, said));
      else resolve(reply);
    });
    child.send(order);
  });
}

const SAID_CHARACTERS_MAX = 2_000;

function endedWithoutReply(code: number | null, said: string): EtlError {
  const last = said.trim().split('\n').at(-1) ?? '';
  return new EtlError(
    'ETL_INTERNAL',
    `The measured process ended early (${code === null ? 'killed' : `exit code ${code}`}): ${last}`,
    'If it ran out of memory, measure with fewer rows or a lower concurrency.',
  );
}

function usageOf(reply: ChildReply): ContenderRun {
  if (reply.kind === 'failed') throw EtlError.fromRecord(reply.error);
  const { report } = reply;
  if (report.error !== null) throw EtlError.fromRecord(report.error);
  return {
    clientCpuMs: reply.cpuMs,
    rssPeakBytes: reply.rssPeakBytes,
    connectionsPeak: report.resources.connectionsPeak,
    chosen: reply.strategy,
    predicted: reply.predicted,
    timeline: reply.spans,
  };
}
