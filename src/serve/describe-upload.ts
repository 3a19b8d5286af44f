import { errorRecordOf, EtlError } from '../errors.ts';
import type { Job, JsonOptions } from '../job/schema.ts';
import { LIMITS } from '../limits.ts';
import { digest } from '../plan/canonical-json.ts';
import type { KnownHeaders } from '../source/csv/describe-csv.ts';
import { describeFile } from '../source/describe.ts';
import { formatOfName } from '../source/file-format.ts';
import { readHead } from '../source/json/json-head.ts';
import type { SourceFile } from '../source/source-file.ts';
import { asTold } from './client-names.ts';
import type { AcceptedFile } from './journal.ts';
import { columnsOf } from './known-files.ts';
import type { ReceivedFile } from './receive-upload.ts';
import type { ServedJob } from './served-jobs.ts';
import type { Spool } from './spool.ts';
import type { KnownFile } from './upload.ts';

/** A file that can be queued. */
export interface DescribedUpload {
  readonly accepted: AcceptedFile;
  readonly known: KnownFile;
}

/**
 * Opens what was received: what cannot even be opened is refused before it is queued. And it finds the
 * layout, by which uploads are loaded together: only files with the same columns mean together what
 * each means alone, since JSON files of one load lend each other their fields.
 *
 * @param headers of the job: the header that all its uploads have is parsed once
 * @throws EtlError as the engine describes the file, with the client's name of it
 */
export async function describeUpload(
  received: ReceivedFile,
  kind: 'rows' | 'files',
  { job, load }: ServedJob,
  spool: Spool,
  headers: KnownHeaders,
): Promise<DescribedUpload> {
  const { base, name, bytes } = received;
  try {
    const file = sourceOf(received, job, spool);
    const bare = kind === 'rows' && (await isBare(file, load.json));
    const description = await describeFile(file, load.csv, headers, jsonFor(load.json, bare));
    const columns = columnsOf(description);
    if (columns.length === 0) throw noRows();
    const layout = digest({ columns: columns.sort(), bare }).slice(0, 16);
    return { accepted: { base, name, bytes, layout, bare }, known: { file, description } };
  } catch (error) {
    const { code, sentence, remedy, facts } = asTold(
      errorRecordOf(error),
      [{ base, name }],
      spool.filesFolder,
    );
    throw new EtlError(code, sentence, remedy, facts, { cause: error });
  }
}

/** As the engine would find it; nobody else writes to the spool, so it is not looked for. */
function sourceOf(
  { base, bytes, mtimeMs }: ReceivedFile,
  { settings: { expansionRatioMax, onError } }: Job,
  { pathOf }: Spool,
): SourceFile {
  const kind = formatOfName(base);
  if ('sentence' in kind) throw new Error('the spool names files by their formats');
  return {
    ...{ path: pathOf(base), name: base, ...kind, bytes, mtimeMs },
    ...(expansionRatioMax === LIMITS.expansionRatioMax ? {} : { expansionRatioMax }),
    ...(onError === 'stop' ? {} : { badBytes: 'of a row' }),
  };
}

function noRows(): EtlError {
  return new EtlError(
    'ETL_FILE_EMPTY',
    'No row in it has a field.',
    'Send objects with the columns as their fields, one at least.',
  );
}

/** Rows may come as the values themselves, whatever the pointer to them in the files of the job. */
async function isBare(file: SourceFile, { records }: JsonOptions): Promise<boolean> {
  if (records === null) return false;
  if (file.format === 'jsonl') return true;
  const { bytes } = await readHead(file, HEAD_BYTES);
  return /^(?:\xef\xbb\xbf)?\s*\[/.test(bytes.toString('latin1', 0, HEAD_BYTES));
}

const HEAD_BYTES = 4096;

export function jsonFor(json: JsonOptions, bare: boolean): JsonOptions {
  return bare ? { ...json, records: null } : json;
}
