import { EtlError } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import type { JsonOptions } from '../../job/schema.ts';
import { LIMITS } from '../../limits.ts';
import { refuseMarkup, refuseOtherFormats } from '../csv/refuse-formats.ts';
import type { JsonColumn, JsonDescription, SourceFile } from '../source-file.ts';
import { afterSpace, afterString, afterColon, afterValue, type JsonBytes } from './json-bytes.ts';
import { readHead } from './json-head.ts';
import { errorOfFault } from './json-problem.ts';
import { startWindow } from './json-window.ts';
import { pointerTo } from './pointer.ts';
import { eachRecord, sampleRecords } from './sampled-records.ts';
import { stepsOf } from './json-stream.ts';
import { stringText } from './string-text.ts';

/** Places do not matter for the names of columns, but the same file must have the same ones. */
const SEED = 1;

/**
 * Opens a JSON file and settles where its records and its columns are. A `.json` file that begins
 * with an array is an array of records; else a file is records one after another (JSON Lines).
 * Columns that the job does not name are the fields of the records in a sample.
 *
 * @throws EtlError ETL_FILE_FORMAT (binary, UTF-16), ETL_JSON_MALFORMED where not even one record can
 *   be read, ETL_LIMIT, ETL_COLUMN_MISSING for a field without a name, and what reading throws
 */
export async function describeJson(
  file: SourceFile,
  options: JsonOptions,
): Promise<JsonDescription> {
  const head = await readHead(file, HEAD_BYTES);
  refuseOthers(file, head.bytes);
  const records = options.records ?? recordsOf(file, head.bytes);
  const guess = file.badBytes === 'of a row' ? isLikelyInLines(head.bytes) : null;
  const reads = { records, lines: guess };
  let sound = 0;
  const first = eachRecord(head.bytes, head.ended, reads, afterValue, () => ++sound > 0);
  if (first.fault !== null && sound === 0) {
    const { frame } = startWindow(stepsOf({ records }));
    throw await errorOfFault(file, first.fault, { base: 0, frame });
  }
  const shape = { records, lines: first.lines };
  const given = Object.entries(options.columns).map(([name, pointer]) => ({ name, pointer }));
  const found = given.length === 0;
  const columns = found ? await findColumns(file, shape) : given;
  return { kind: 'json', columns, ...shape, found };
}

/** Shows whether records stand in lines, and what is wrong with the first of them. */
const HEAD_BYTES = 1024 * 1024;

function refuseOthers(file: SourceFile, head: Buffer): void {
  const start = head.subarray(0, 4);
  if (start.includes(0) || [0xfeff, 0xfffe].includes(head.length < 2 ? 0 : head.readUInt16BE())) {
    throw new EtlError(
      'ETL_FILE_FORMAT',
      'The file looks like UTF-16, or binary; JSON is UTF-8.',
      'Convert it to UTF-8.',
      { file: file.name },
    );
  }
  refuseOtherFormats(file, start, 'json');
  refuseMarkup(file, head);
}

/** Where a broken record may be the first: a line that only opens one is no record. */
function isLikelyInLines(head: Buffer): boolean {
  return !/^\s*[{[]\s*$/.test(head.toString('utf8').split('\n', 1)[0] ?? '');
}

function recordsOf(file: SourceFile, head: Buffer): string | null {
  if (file.format === 'jsonl') return null;
  const mark = head[0] === 0xef ? 3 : 0;
  const start = /[^\s]/.exec(head.toString('latin1', mark, mark + 4096))?.[0];
  return start === '[' ? '' : null;
}

/** The names of the records' members, in the order in which they first appear. */
async function findColumns(
  file: SourceFile,
  shape: Pick<JsonDescription, 'records' | 'lines'>,
): Promise<readonly JsonColumn[]> {
  const names: Map<string, true>[] = [];
  const options = { bytesMax: LIMITS.sampleBytesPerFileMax, seed: SEED };
  const { blocks } = await sampleRecords(file, shape, options, afterValue, (block) => {
    const own = new Map<string, true>();
    names[block] = own;
    return (json, start) => {
      noteNames(json, start, own);
      return own.size <= LIMITS.columnsMax;
    };
  });
  // A block that began inside of a record may have taken other objects for records.
  const sound = blocks.map(({ fault }, block) => (block === 0 || fault === null ? block : -1));
  const all = new Set(sound.flatMap((block) => [...(names[block]?.keys() ?? [])]));
  refuseOddNames(file, all);
  return [...all].map((name) => ({ name, pointer: pointerTo(name) }));
}

const [QUOTE, COMMA, OPEN_BRACE] = [34, 44, 123] as const;

/** The record has been passed, so it is JSON. */
function noteNames(json: JsonBytes, start: number, names: Map<string, true>): void {
  const { bytes } = json;
  if (bytes[start] !== OPEN_BRACE) return;
  let at = afterSpace(json, start + 1);
  while (bytes[at] === QUOTE) {
    const nameEnd = afterString(json, at + 1);
    names.set(stringText(bytes, at, nameEnd), true);
    at = afterSpace(json, afterValue(json, afterColon(json, nameEnd)));
    if (bytes[at] === COMMA) at = afterSpace(json, at + 1);
  }
}

function refuseOddNames(file: SourceFile, names: ReadonlySet<string>): void {
  const wanted = remedy`Name the columns that are wanted, with their pointers: ${setting('json.columns')}.`;
  if (names.size > LIMITS.columnsMax) {
    throw new EtlError(
      'ETL_LIMIT',
      `The records have more than ${LIMITS.columnsMax} different fields.`,
      wanted,
      { file: file.name, limit: LIMITS.columnsMax },
    );
  }
  if (!names.has('')) return;
  throw new EtlError('ETL_COLUMN_MISSING', 'A field of a record has an empty name.', wanted, {
    file: file.name,
  });
}
