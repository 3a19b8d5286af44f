import { LOOP_BYTES_MAX, type FieldColumn } from './field-values.ts';

/**
 * Writes rows of the columns that it was made for, and of others of their widths, from the beginning of
 * `out`; `bytes` are those of `out`. Returns where the rows end.
 */
export type WriteRows = (
  columns: readonly FieldColumn[],
  rows: number,
  out: DataView,
  bytes: Uint8Array,
  firstOrdinal: number,
) => number;

/**
 * A loop over rows that is made for the widths of these columns: no choice is left at a field, and each place
 * is written in its turn. Column by column every row's position is read and written for each column, and the
 * rows pass through the cache as often: 107 ns for a row of 8 columns, of which 3 are text, and 72 by this;
 * 175 and 111 beside the server (medians, in turn). 16 of these are conversions.
 *
 * A loop that took a function per column ran at a tenth. Not tried: WebAssembly, whose memory the values would
 * have to lie in.
 *
 * @returns null where it does not pay, or where Node does not allow code from text: then write by column
 */
export function rowWriter(columns: readonly FieldColumn[], ordinal: boolean): WriteRows | null {
  if (columns.length > COLUMNS_MAX) return null;
  const widths = columns.map(({ fields }) =>
    fields.width === 'any' && fields.version !== null ? 'version' : fields.width,
  );
  const key = `${widths.join()} ${ordinal ? 'ordinal' : ''}`;
  const made = WRITERS.get(key);
  if (made !== undefined) return made;
  if (WRITERS.size === WRITERS_MAX) WRITERS.clear();
  const writer = compiled(sourceOf(widths, ordinal));
  WRITERS.set(key, writer);
  return writer;
}

/** V8 optimizes no function of more than 60 kB of its code, which are some 250 columns, and takes long for many. */
const COLUMNS_MAX = 32;

/** What V8 has optimized for one file is ready for the next. */
const WRITERS = new Map<string, WriteRows | null>();
const WRITERS_MAX = 100;

/** Nothing of a file or a job is in the text: it is put together of the words below and numbers. */
function compiled(source: string): WriteRows | null {
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    return new Function('columns', 'rows', 'out', 'bytes', 'ordinal', source) as WriteRows;
  } catch (error) {
    // node --disallow-code-generation-from-strings
    if (error instanceof EvalError) return null;
    throw error;
  }
}

type Width = 1 | 2 | 4 | 8 | 'any' | 'version';

function sourceOf(widths: readonly Width[], ordinal: boolean): string {
  const fields = widths.length + (ordinal ? 1 : 0);
  return `'use strict';
    ${widths.map(valuesOf).join('')}
    let at = 0;
    for (let row = 0; row < rows; row++) {
      out.setInt16(at, ${fields});
      at += 2;
      ${ordinal ? ORDINAL : ''}
      ${widths.map(fieldOf).join('')}
    }
    return at;`;
}

const ORDINAL = `
  out.setInt32(at, 8);
  out.setInt32(at + 4, Math.floor((ordinal + row) / 4294967296));
  out.setInt32(at + 8, (ordinal + row) | 0);
  at += 12;`;

/** What the loop reads of column `c`: its numbers, or its slices. */
function valuesOf(width: Width, c: number): string {
  const values = `
    const { fields: fields${c}, indexes: indexes${c}, validity: validity${c} } = columns[${c}];
    const data${c} = fields${c}.data;`;
  if (typeof width === 'number') return values;
  return `${values}
    const starts${c} = fields${c}.starts, ends${c} = fields${c}.ends, version${c} = fields${c}.version;
    const words${c} = new DataView(data${c}.buffer, data${c}.byteOffset, data${c}.byteLength);`;
}

function fieldOf(width: Width, c: number): string {
  return `
    if (validity${c} !== null && validity${c}[row] === 0) {
      out.setInt32(at, -1);
      at += 4;
    } else {
      const i = indexes${c} === null ? row : indexes${c}[row];
      ${typeof width === 'number' ? numberOf(width, c) : sliceOf(width === 'version', c)}
    }`;
}

function numberOf(width: 1 | 2 | 4 | 8, c: number): string {
  const value = {
    1: `out.setUint8(at + 4, data${c}[i]);`,
    2: `out.setInt16(at + 4, data${c}[i]);`,
    4: `out.setInt32(at + 4, data${c}[i]);`,
    8: `out.setInt32(at + 4, data${c}[2 * i + 1]); out.setInt32(at + 8, data${c}[2 * i]);`,
  }[width];
  return `out.setInt32(at, ${width}); ${value} at += ${4 + width};`;
}

/** The last word begins where it must to end with the slice, so it overlaps the one before. */
function sliceOf(version: boolean, c: number): string {
  return `
    const start = starts${c}[i], length = ends${c}[i] - start;
    out.setInt32(at, length${version ? ' + 1' : ''});
    at += 4;
    ${version ? `bytes[at++] = version${c};` : ''}
    if (length > ${LOOP_BYTES_MAX}) bytes.set(data${c}.subarray(start, start + length), at);
    else if (length >= 4) {
      const last = length - 4;
      for (let k = 0; k < last; k += 4) out.setInt32(at + k, words${c}.getInt32(start + k, true), true);
      out.setInt32(at + last, words${c}.getInt32(start + last, true), true);
    } else for (let k = 0; k < length; k++) bytes[at + k] = data${c}[start + k];
    at += length;`;
}
