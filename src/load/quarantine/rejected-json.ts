import { isUtf8 } from 'node:buffer';
import { LIMITS } from '../../limits.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import { fieldTree } from '../../source/json/field-tree.ts';
import { JsonFault } from '../../source/json/json-bytes.ts';
import { jsonRecords, type JsonRecord } from '../../source/json/json-records.ts';
import {
  MISSING,
  readRecord,
  recordFields,
  type RecordFields,
} from '../../source/json/read-record.ts';
import { valueText } from '../../source/json/string-text.ts';
import type { JsonDescription } from '../../source/source-file.ts';
import type { RejectedRow } from './reject-spool.ts';
import type { RejectedText } from './rejected-texts.ts';

/** `rows` in the order of the file, which is read up to the last of them. */
export async function* rejectedJsonRows(
  file: FilePlan,
  description: JsonDescription,
  rows: AsyncIterator<RejectedRow>,
  signal: AbortSignal,
): AsyncGenerator<RejectedText> {
  const pointers = description.columns.map(({ pointer }) => pointer);
  const fields = recordFields(fieldTree(pointers), pointers.length, false);
  let wanted = await rows.next();
  const next = (): number | null => (wanted.done === true ? null : wanted.value.record);
  for await (const record of jsonRecords(file, description, next, signal)) {
    if (wanted.done === true) return;
    yield shown(record, wanted.value, fields);
    wanted = await rows.next();
  }
}

function shown(
  { bytes, line, offset }: JsonRecord,
  row: RejectedRow,
  fields: RecordFields,
): RejectedText {
  const none = Array.from(fields.starts, () => null);
  if (bytes.length > LIMITS.rejectedTextBytesMax) {
    const raw = textOf(bytes.subarray(0, LIMITS.rejectedTextBytesMax));
    const reason = `${row.reason} (etl_raw holds the first ${LIMITS.rejectedTextBytesMax} bytes)`;
    return { row: { ...row, reason }, line, offset, raw, fields: none };
  }
  const raw = textOf(bytes);
  if (!isUtf8(bytes) || !isRecord(bytes, fields)) return { row, line, offset, raw, fields: none };
  const values = Array.from(fields.starts, (start, slot) =>
    start === MISSING || bytes[start] === SMALL_N
      ? null
      : valueText(bytes, start, fields.ends[slot] ?? start),
  );
  return { row, line, offset, raw, fields: values };
}

/** As for CSV: see RejectedText. */
function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  const isText = isUtf8(bytes) && !bytes.includes(0) && !text.startsWith('\\x');
  return isText ? text.trimEnd() : `\\x${bytes.toString('hex')}`;
}

/** Notes where its values are, where it is one. */
function isRecord(bytes: Buffer, fields: RecordFields): boolean {
  // Behind the bytes stands one that no JSON may hold.
  const json = { bytes: Buffer.concat([bytes, END]), end: bytes.length, final: true, escapes: 0 };
  try {
    return readRecord(json, fields, 0) === bytes.length;
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    return false;
  }
}

const END = Buffer.of(0);

/** Of `null`. */
const SMALL_N = 110;
