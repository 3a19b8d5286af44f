import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** So many uploads of so many rows, about so many companies; all of it follows from the seed. */
export interface Uploads {
  readonly seed: number;
  readonly files: number;
  readonly rowsPerFile: number;
  readonly companies: number;
}

export const HEADER =
  'symbol,period,current_ratio,debt_to_equity,net_margin,return_on_assets,asset_turnover\n';

/** A row of an upload: the ratios in thousandths, which add up without a rest. */
export interface UploadRow {
  /** As somebody typed it. */
  readonly symbol: string;
  readonly period: string;
  /** Null: missing. */
  readonly ratios: readonly (number | null)[];
  /** One of its ratios is no number. */
  readonly bad: boolean;
}

export function rowsOf({ files, rowsPerFile }: Uploads): number {
  return files * rowsPerFile;
}

/** Of each thousand rows one is bad; of each ten the last says again what an earlier row said. */
export function isBad(row: number): boolean {
  return row % 1_000 === 500;
}
export function isRepeated(row: number): boolean {
  return row % 10 === 9;
}

export function symbolOf(company: number): string {
  let symbol = '';
  for (let rest = company, letter = 0; letter < 4; letter++, rest = Math.floor(rest / 26)) {
    symbol = String.fromCharCode(65 + (rest % 26)) + symbol;
  }
  return symbol;
}

/** The company and the quarter of a row; a row that says something again has those of another. */
export function keyOf(uploads: Uploads, row: number): { company: number; period: string } {
  const first = isRepeated(row) ? repeatedOf(uploads, row) : row;
  const quarter = Math.floor(first / uploads.companies);
  const year = 2100 - Math.floor(quarter / 4);
  return { company: first % uploads.companies, period: `${year}Q${1 + (quarter % 4)}` };
}

/** An earlier row that is neither bad nor repeated. */
function repeatedOf({ seed }: Uploads, row: number): number {
  const place = hash(seed, row) % row;
  return place - (place % 10) + 1;
}

export function rowAt(uploads: Uploads, row: number): UploadRow {
  const { company, period } = keyOf(uploads, row);
  const random = (salt: number): number => hash(uploads.seed + salt, row);
  const symbol = symbolOf(company);
  const typed = [symbol, symbol.toLowerCase(), symbol.slice(0, 1) + symbol.slice(1).toLowerCase()];
  const ratios = [
    200 + (random(1) % 3_000),
    random(2) % 4_000,
    (random(3) % 500) - 200,
    (random(4) % 300) - 100,
    random(5) % 2_000,
  ];
  return {
    symbol: typed[random(6) % 3] ?? symbol,
    period,
    ratios: ratios.map((ratio, place) => (random(7) % 50 === place ? null : ratio)),
    bad: isBad(row),
  };
}

export function uploadText(uploads: Uploads, file: number): string {
  const from = file * uploads.rowsPerFile;
  let text = HEADER;
  for (let row = from; row < from + uploads.rowsPerFile; row++) {
    const { symbol, period, ratios, bad } = rowAt(uploads, row);
    const fields = ratios.map((ratio) => (ratio === null ? '' : String(ratio / 1_000)));
    if (bad) fields[0] = 'n/a';
    text += `${symbol},${period},${fields.join(',')}\n`;
  }
  return text;
}

/** Writes all uploads into a folder, which is made. */
export function writeUploads(folder: string, uploads: Uploads): void {
  mkdirSync(folder, { recursive: true });
  for (let file = 0; file < uploads.files; file++) {
    const out = openSync(join(folder, `upload-${String(file).padStart(4, '0')}.csv`), 'w');
    writeSync(out, uploadText(uploads, file));
    closeSync(out);
  }
}

/** What the table must hold in the end; the sum in thousandths of the first ratio, where it is known. */
export function expectedOf(uploads: Uploads): {
  readonly rows: number;
  readonly rejected: number;
  readonly currentRatios: number;
} {
  let [rows, rejected, currentRatios] = [0, 0, 0];
  for (let row = 0; row < rowsOf(uploads); row++) {
    if (isBad(row)) rejected++;
    if (isBad(row) || isRepeated(row)) continue;
    rows++;
    currentRatios += rowAt(uploads, row).ratios[0] ?? 0;
  }
  return { rows, rejected, currentRatios };
}

/** Mixes a seed and a number (the finalizer of MurmurHash3). */
function hash(seed: number, value: number): number {
  let mixed = Math.imul(value + 1, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
