import { tmpdir } from 'node:os';
import type { EmbeddedStatus } from '../../embedded/embedded.ts';
import type { LoadPlan } from '../../plan/plan-types.ts';
import { fail, pass, skip, warn, type Check } from './doctor-types.ts';

/** Memory, disk and folder: whether there is room for the load. */

export interface MemoryFacts {
  /** What one sort may take in the sessions that load. */
  readonly workMemBytes: number;
  readonly sharedBuffersBytes: number;
  readonly concurrency: number;
  /** Of the server's machine; null where that is not known. */
  readonly machineBytes: number | null;
}

/** Tuned servers have shared_buffers at a quarter of their memory; sorts may take half of it. */
const SHARED_BUFFERS_TIMES_MAX = 2;

export function memoryCheck(facts: MemoryFacts): Check {
  const { workMemBytes, sharedBuffersBytes, concurrency, machineBytes } = facts;
  const name = 'memory';
  const sorts = concurrency * workMemBytes;
  const what = `work_mem of ${memoryText(workMemBytes)} by ${concurrency} workers is ${memoryText(sorts)}`;
  const remedy = 'Lower concurrency, or work_mem among the settings (session).';
  if (machineBytes === null) {
    const beside = `${what}, with shared_buffers of ${memoryText(sharedBuffersBytes)}`;
    return sorts > SHARED_BUFFERS_TIMES_MAX * sharedBuffersBytes
      ? warn(name, `${beside}; the server's memory is not known, and may be too small.`, remedy)
      : pass(name, beside);
  }
  const total = sorts + sharedBuffersBytes;
  const of = `${what}, with shared_buffers ${memoryText(total)} of the machine's ${memoryText(machineBytes)}`;
  if (total > machineBytes) return fail(name, `${of}.`, remedy);
  return total > machineBytes / 2 ? warn(name, `${of}.`, remedy) : pass(name, of);
}

/** Bytes of rows for a byte of the file. Parquet: dictionary and compression. */
const EXPANSION = { none: 1, compressed: 5, parquet: 4 } as const;

/** Rows are staged, written, and logged: each takes about what the files have as CSV. */
const COPIES = 3;

/** Bytes that the files to be loaded have as CSV; null where there are none. */
export function rowBytes(loads: readonly LoadPlan[]): number | null {
  const files = loads.flatMap((load) => load.files.filter((file) => file.skip === null));
  if (files.length === 0) return null;
  return files.reduce((sum, { format, compression, bytes }) => {
    const kind = format === 'parquet' ? 'parquet' : compression === 'none' ? 'none' : 'compressed';
    return sum + bytes * EXPANSION[kind];
  }, 0);
}

const FREE_BYTES_MIN = 1_000_000_000;

/** `free`: bytes where the server keeps its data; null where that cannot be seen. */
export function diskCheck(free: number | null, rows: number | null): Check {
  const name = 'disk';
  if (free === null) return skip(name, 'the disk of the server cannot be seen from here');
  const remedy = 'Make room on the disk of the server, or load fewer files at a time.';
  const needed = rows === null ? FREE_BYTES_MIN : rows * COPIES;
  const what =
    rows === null
      ? `${sizeText(free)} free`
      : `${sizeText(free)} free; staging, table and WAL of the load take about ${sizeText(needed)}`;
  if (rows !== null && free < rows) return fail(name, `${what}.`, remedy);
  return free < needed ? warn(name, `${what}.`, remedy) : pass(name, what);
}

/** `status`: null where another server is used. */
export function embeddedCheck(status: EmbeddedStatus | null): Check {
  const name = 'embedded server';
  if (status === null) return skip(name, 'not used');
  const { home, bytes, version, logPath } = status;
  const what = `PostgreSQL ${version ?? ''} in ${home}, ${sizeText(bytes)} of data, log ${logPath}`;
  return home.startsWith(`${tmpdir()}/`)
    ? warn(
        name,
        `${what}: a folder for temporary files, which the system may empty.`,
        'Name another one in ETL_EMBEDDED_DIR.',
      )
    : pass(name, what);
}

/** Disks are sold in powers of 1000, memory in powers of 1024. */
function sizeText(bytes: number, base = 1000): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let place = 0;
  for (; value >= base * 0.99995 && place < units.length - 1; place++) value /= base;
  return `${Number(value.toFixed(1))} ${units[place] ?? ''}`;
}

function memoryText(bytes: number): string {
  return sizeText(bytes, 1024);
}
