import { errorRecordOf, EtlError } from '../errors.ts';
import type { JsonOptions } from '../job/schema.ts';
import { digest } from '../plan/canonical-json.ts';
import { describeFile } from '../source/describe.ts';
import { findFiles } from '../source/find-files.ts';
import { readHead } from '../source/json/json-head.ts';
import type { FileDescription, SourceFile } from '../source/source-file.ts';
import { asTold } from './client-names.ts';
import type { AcceptedFile } from './journal.ts';
import { columnsOf } from './known-files.ts';
import type { ReceivedFile } from './receive-upload.ts';
import type { ServedJob } from './served-jobs.ts';
import type { Spool } from './spool.ts';

/** A file that can be queued. */
export interface DescribedUpload {
  readonly accepted: AcceptedFile;
  readonly description: FileDescription;
}

/**
 * Opens what was received: what cannot even be opened is refused before it is queued. And it finds the
 * layout, by which uploads are loaded together: only files with the same columns mean together what
 * each means alone, since JSON files of one load lend each other their fields.
 *
 * @throws EtlError as the engine describes the file, with the client's name of it
 */
export async function describeUpload(
  { base, name, bytes }: ReceivedFile,
  kind: 'rows' | 'files',
  { job, load }: ServedJob,
  spool: Spool,
): Promise<DescribedUpload> {
  try {
    const { expansionRatioMax, onError } = job.settings;
    const asked = { cwd: spool.filesFolder, order: 'listed', expansionRatioMax } as const;
    const [found] = await findFiles([spool.pathOf(base)], asked);
    if (found === undefined) throw new Error('a file of the spool is not found');
    const file: SourceFile = onError === 'stop' ? found : { ...found, badBytes: 'of a row' };
    const bare = kind === 'rows' && (await isBare(file, load.json));
    const description = await describeFile(file, load.csv, undefined, jsonFor(load.json, bare));
    const columns = columnsOf(description);
    const layout = digest({ columns: columns.sort(), bare }).slice(0, 16);
    return { accepted: { base, name, bytes, layout, bare }, description };
  } catch (error) {
    const { code, sentence, remedy, facts } = asTold(
      errorRecordOf(error),
      [{ base, name }],
      spool.filesFolder,
    );
    throw new EtlError(code, sentence, remedy, facts, { cause: error });
  }
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
