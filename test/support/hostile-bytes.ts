import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { CsvOptions } from '../../src/job/schema.ts';
import { zstdFrame } from './zstd-frame.ts';

/** A file that somebody broke, or made to break us; the same seed makes the same file. */
export interface HostileFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly csv: Partial<CsvOptions>;
}

/** A number in `[0, below)`. */
export type Dice = (below: number) => number;

/** mulberry32: the seed decides all that follows. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** CSV, plain or compressed, of any dialect; one in four is noise and was never CSV. */
export function hostileCsv(seed: number): HostileFile {
  const dice = diceOf(seed);
  const csv = pick(dice, DIALECTS);
  const whole = dice(4) === 0 ? noise(dice, dice(3000)) : Buffer.from(csvText(dice));
  const text =
    csv.encoding === 'utf16le' ? Buffer.from(whole.toString('latin1'), 'utf16le') : whole;
  const compression = dice(8);
  if (compression > 1) return { name: 'hostile.csv', bytes: mutated(dice, text, 0), csv };
  const content = dice(2) === 0 ? text : mutated(dice, text, 0);
  const packed = compression === 0 ? gzipSync(content) : zstdFrame(content, 1 + dice(700));
  const name = compression === 0 ? 'hostile.csv.gz' : 'hostile.csv.zst';
  return { name, bytes: content === text ? mutated(dice, packed, 0) : packed, csv };
}

/** Parquet of the corpus with damage, which strikes the footer more often than its size has it. */
export function hostileParquet(seed: number): HostileFile {
  const dice = diceOf(seed);
  const whole = readFileSync(new URL(pick(dice, PARQUET), CORPUS));
  const footer = whole.length - 8 - whole.readUInt32LE(whole.length - 8);
  const from = dice(2) === 0 ? footer : 4;
  const bytes = dice(10) === 0 ? noise(dice, dice(3000)) : mutated(dice, whole, from);
  return { name: 'hostile.parquet', bytes, csv: {} };
}

/** Up to eight wounds, none before `from`. */
export function mutated(dice: Dice, whole: Buffer, from: number): Buffer {
  let bytes: Buffer = Buffer.from(whole);
  for (let wounds = 1 + dice(dice(3) === 0 ? 8 : 2); wounds > 0; wounds--) {
    if (bytes.length <= from) return bytes;
    bytes = pick(dice, WOUNDS)(dice, bytes, from + dice(bytes.length - from));
  }
  return bytes;
}

/** Characters that mean something to a reader of CSV come more often than others. */
const SPECIAL = Buffer.from('"",,\n\n\r\\.\x01;\t|#\'a0 ', 'latin1');

type Wound = (dice: Dice, bytes: Buffer, at: number) => Buffer;

const WOUNDS: readonly Wound[] = [
  (dice, bytes, at) => put(bytes, at, (bytes[at] ?? 0) ^ (1 << dice(8))),
  (dice, bytes, at) => put(bytes, at, dice(256)),
  (dice, bytes, at) => put(bytes, at, SPECIAL[dice(SPECIAL.length)] ?? 0),
  (dice, bytes, at) => put(bytes, at, SPECIAL[dice(SPECIAL.length)] ?? 0),
  (dice, bytes, at) => put(bytes, at, pick(dice, [0, 0x7f, 0x80, 0xff])),
  (dice, bytes, at) => replaced(bytes, at, 0, Buffer.from([SPECIAL[dice(SPECIAL.length)] ?? 0])),
  (dice, bytes, at) => replaced(bytes, at, 1 + dice(20), Buffer.alloc(0)),
  (dice, bytes, at) => replaced(bytes, at, dice(40), noise(dice, dice(40))),
  (dice, bytes, at) => bytes.subarray(0, dice(3) === 0 ? at : bytes.length - dice(9)),
  (dice, bytes, at) => {
    const start = dice(bytes.length);
    return replaced(bytes, at, dice(60), bytes.subarray(start, start + dice(200)));
  },
];

function put(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

function replaced(bytes: Buffer, at: number, length: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + length)]);
}

/** Any bytes, or only those that mean something to CSV. */
function noise(dice: Dice, length: number): Buffer {
  const any = dice(3) === 0;
  const byte = (): number => (any ? dice(256) : (SPECIAL[dice(SPECIAL.length)] ?? 0));
  return Buffer.from(Array.from({ length }, byte));
}

export function pick<T>(dice: Dice, choices: readonly T[]): T {
  return choices[dice(choices.length)] as T;
}

/** Rows of four columns; `HOSTILE_HEADER` is the header of all. */
export const HOSTILE_HEADER = 'id,name,note,amount';

export function csvText(dice: Dice): string {
  const lineEnd = pick(dice, ['\n', '\n', '\r\n', '\r']);
  const rows = Array.from({ length: dice(30) }, (_, id) =>
    [`${id}`, pick(dice, FIELDS), pick(dice, FIELDS), `${dice(1000)}`].join(','),
  );
  const end = dice(3) === 0 ? '' : lineEnd;
  return [HOSTILE_HEADER, ...rows].join(lineEnd) + end;
}

const FIELDS = [
  ...['', '""', 'plain', '"quoted, with comma"', '"say ""hi"""', '"two\nlines"', '\\.', '"\\."'],
  ...[
    '  spaced ',
    'NULL',
    '\\N',
    'ünïcode',
    '日本語',
    '😀',
    '"\r\n"',
    "it's",
    '5" by 6"',
    'x'.repeat(300),
  ],
];

const DIALECTS: readonly Partial<CsvOptions>[] = [
  ...[{}, {}, {}, {}, { header: false }, { skipLines: 2 }, { trim: true }, { comment: '#' }],
  ...[{ quote: null }, { escape: '\\' }, { encoding: 'latin1' }, { encoding: 'utf16le' }],
  ...[{ delimiter: ',,' }, { null: 'NULL' }, { encoding: 'sjis' }, { delimiter: '\\' }],
];

const CORPUS = new URL('../corpus/files/parquet/', import.meta.url);
const PARQUET = readdirSync(CORPUS)
  .filter((name) => name.endsWith('.parquet'))
  .sort();
