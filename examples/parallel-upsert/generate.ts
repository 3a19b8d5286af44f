import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';

/** How many of a file's customers other files hold, too. */
export const OVERLAPS = ['none', 'some', 'all'] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** Six files: a pure function of these. */
export interface Customers {
  readonly seed: number;
  readonly rowsPerFile: number;
  readonly overlap: Overlap;
}

export interface Customer {
  readonly id: number;
  readonly email: string;
  readonly city: string;
  readonly balance_cents: number;
  /** Number of the file, from 1. */
  readonly revision: number;
}

export const HEADERS = ['id', 'email', 'city', 'balance_cents', 'revision'] as const;

/** In order of precedence: the job names CSV first. */
export const FILES = [
  'customers-1.csv',
  'customers-2.csv',
  'customers-3.csv',
  'customers-4.parquet',
  'customers-5.parquet',
  'customers-6.parquet',
] as const;

/** Of each second file's customers, with some overlap: those that the file before holds, too. */
const SHARED = 0.1;
const CITIES = ['Aachen', 'Bergen', 'Cádiz', 'Dijon', 'Évora', 'Fürth', 'Gent', 'Hasselt'] as const;
const ROWS_AT_ONCE = 50_000;

/** `file` and `place` count from 0. */
export function customerAt(customers: Customers, file: number, place: number): Customer {
  const id = firstId(customers, file) + scattered(customers, place);
  const mixed = mix(id, file, customers.seed);
  return {
    id,
    email: `customer-${id}@example.org`,
    city: CITIES[mixed % CITIES.length] ?? '',
    balance_cents: mixed % 1_000_000,
    revision: file + 1,
  };
}

export function firstId({ rowsPerFile, overlap }: Customers, file: number): number {
  if (overlap === 'all') return 1;
  const shared = overlap === 'some' ? Math.floor(rowsPerFile * SHARED) : 0;
  return 1 + file * rowsPerFile - Math.ceil(file / 2) * shared;
}

/** Each place once, so that no file is sorted. */
function scattered({ rowsPerFile }: Customers, place: number): number {
  // A prime larger than any file has rows has no factor in common with their number.
  return (place * 2_147_483_647) % rowsPerFile;
}

/** Thirty-two bits, the same for the same three numbers. */
function mix(id: number, file: number, seed: number): number {
  const sum = (Math.imul(id, 0x7feb352d) + Math.imul(file + 1, 0x2c1b3c6d) + seed) | 0;
  return Math.imul(sum ^ (sum >>> 15), 0x31848bab) >>> 0;
}

/** Writes the six files into a folder that is made. */
export async function writeCustomers(
  customers: Customers,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [file, name] of FILES.entries()) {
    const write = name.endsWith('.csv') ? writeCsv : writeParquet;
    await write(batchesOf(customers, file, signal), join(folder, name));
  }
}

function* batchesOf(
  customers: Customers,
  file: number,
  signal: AbortSignal,
): Generator<readonly Customer[]> {
  const { rowsPerFile } = customers;
  for (let from = 0; from < rowsPerFile; from += ROWS_AT_ONCE) {
    signal.throwIfAborted();
    const length = Math.min(ROWS_AT_ONCE, rowsPerFile - from);
    yield Array.from({ length }, (_, place) => customerAt(customers, file, from + place));
  }
}

async function writeCsv(batches: Iterable<readonly Customer[]>, path: string): Promise<void> {
  const stream = createWriteStream(path);
  stream.write(`${HEADERS.join(',')}\n`);
  for (const batch of batches) {
    const lines = batch.map((one) => `${HEADERS.map((name) => one[name]).join(',')}\n`);
    if (!stream.write(lines.join(''))) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'close');
}

async function writeParquet(batches: Iterable<readonly Customer[]>, path: string): Promise<void> {
  let writer: ParquetWriter | null = null;
  for (const batch of batches) {
    const columnData = [
      { name: 'id', data: batch.map(({ id }) => BigInt(id)), type: 'INT64' as const },
      { name: 'email', data: batch.map(({ email }) => email), type: 'STRING' as const },
      { name: 'city', data: batch.map(({ city }) => city), type: 'STRING' as const },
      ...(['balance_cents', 'revision'] as const).map((name) => ({
        name,
        data: Int32Array.from(batch, (one) => one[name]),
        type: 'INT32' as const,
      })),
    ].map((column) => ({ ...column, nullable: false }));
    const schema = schemaFromColumnData({ columnData });
    writer ??= new ParquetWriter({ writer: fileWriter(path), schema });
    await writer.write({ columnData, rowGroupSize: ROWS_AT_ONCE });
  }
  await writer?.finish();
}

/** What the table must hold at last, by arithmetic alone: of equal ids the one of the last file. */
export function expectedTotals(customers: Customers): {
  readonly rows: number;
  readonly revisions: number;
  readonly cents: number;
} {
  const { rowsPerFile } = customers;
  const files = FILES.length;
  let [rows, revisions, cents] = [0, 0, 0];
  for (let file = 0; file < files; file++) {
    // Files hold ranges of ids; those from the next file's first on are that one's.
    const first = firstId(customers, file);
    const next = file + 1 < files ? firstId(customers, file + 1) : Infinity;
    const winning = Math.max(0, Math.min(rowsPerFile, next - first));
    rows += winning;
    revisions += winning * (file + 1);
    for (let id = first; id < first + winning; id++) {
      cents += mix(id, file, customers.seed) % 1_000_000;
    }
  }
  return { rows, revisions, cents };
}
