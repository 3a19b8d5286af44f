import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { EtlError } from '../src/errors.ts';
import type { Connection } from '../src/target/connect.ts';
import type { Contender } from './contenders/contender.ts';
import { shapeOf, type Shape } from './generate/shape.ts';
import { writeFiles, type WrittenFiles } from './generate/write-files.ts';
import type { Format, Scenario } from './scenario.ts';
import { expectedDigest } from './scratch-table.ts';

/** Files of a scenario, and what the table must be once they are loaded. */
export interface Dataset {
  readonly shape: Shape;
  readonly folder: string;
  readonly files: WrittenFiles;
  readonly expected: string;
}

/**
 * Of one scenario, and gone with it. Scenarios share none: 600,000 rows of CSV take 0.8 s of CPU to
 * write, so two scenarios of the standard suite would have saved a second of 25 minutes, and the full
 * one would have kept 30 GB until its end.
 */
export interface Datasets {
  /** Written on first use; contenders that can share a dataset do. */
  for(contender: Contender): Promise<Dataset>;
  remove(): Promise<void>;
}

export function createDatasets(options: {
  readonly scenario: Scenario;
  readonly rows: number;
  readonly tableRows: number;
  readonly seed: number;
  readonly folder: string;
  readonly connection: Connection;
  readonly signal: AbortSignal;
}): Datasets {
  const made = new Map<string, Promise<Dataset>>();
  const make = async (name: string, rows: number, formats: readonly Format[]): Promise<Dataset> => {
    // The types stay those of the scenario, whatever the format: all load the same table.
    const shape = shapeOf(options.scenario, rows, options.tableRows, options.seed);
    const folder = join(options.folder, options.scenario.name, name);
    await refuseFullDisk(options.folder, shape);
    const files = await writeFiles(shape, formats, folder, options.signal);
    return { shape, folder, files, expected: await expectedDigest(options.connection, shape) };
  };
  return {
    for: ({ rowsMax, formats }) => {
      const rows = Math.min(options.rows, rowsMax ?? options.rows);
      const name = `${formats.join('-')}-${rows}`;
      const dataset = made.get(name) ?? make(name, rows, formats);
      made.set(name, dataset);
      return dataset;
    },
    remove: () => rm(join(options.folder, options.scenario.name), { recursive: true, force: true }),
  };
}

/** A row takes this much as CSV; as much again in the table, its index, staging and the log. */
const ROW_BYTES = 85;
const COPIES = 5;

/** A disk that is full ends the server, and with it whatever else it serves. */
async function refuseFullDisk(folder: string, { rows, tableRows }: Shape): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const wanted = (rows + tableRows) * ROW_BYTES * COPIES;
  if (bavail * bsize > wanted) return;
  throw new EtlError(
    'ETL_LIMIT',
    `It needs about ${Math.ceil(wanted / 1e9)} GB of disk; ${Math.floor((bavail * bsize) / 1e9)} are free.`,
    'Make room, or set TMPDIR to a larger disk.',
    { limit: bavail * bsize },
  );
}
