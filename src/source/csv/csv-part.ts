import { EtlError } from '../../errors.ts';
import { byteRange } from '../byte-range.ts';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import { scanned } from './csv-bytes.ts';
import type { CsvReadOptions, CsvStream } from './csv-stream.ts';
import type { CsvPart } from './find-parts.ts';
import { lineEndOf, startScan } from './scan-state.ts';
import type { LineEnd } from './scan-state.ts';

/** As a CsvStream. */
export interface CsvPartStream extends Pick<CsvStream, 'chunks'> {
  /** After the end of `chunks`. The hash of the file is for whoever splits it. */
  totals(): { readonly records: number; readonly contentHash: null };
}

/**
 * The fast path for a part of a file. Where it needs no repair it is not scanned again: COPY counts
 * the records, too. In whatever way it is read, its lines must end as those at the beginning of the
 * file: COPY refuses a file whose lines end in two ways, and would not see it in a part.
 *
 * @throws EtlError (while iterating) as openCsvBytes, ETL_FILE_CHANGED
 */
export function openCsvPart(
  file: SourceFile,
  description: CsvDescription,
  part: CsvPart,
  { signal, onProgress }: CsvReadOptions = {},
): CsvPartStream {
  const source = byteRange(file, part, {
    reuse: true,
    ...(signal === undefined ? {} : { signal }),
  });
  const state = startScan(description.dialect, description.columns.length);
  const totals = (): { records: number; contentHash: null } => ({
    records: part.records ?? state.records,
    contentHash: null,
  });
  async function* verbatim(): AsyncGenerator<Buffer> {
    let tail: Buffer = Buffer.alloc(0);
    for await (const chunk of source.chunks) {
      yield chunk;
      tail = Buffer.concat([tail, chunk.subarray(-2)]).subarray(-2);
      const share = source.bytesRead() / (part.to - part.from);
      onProgress?.(Math.round((part.records ?? 0) * share), source.bytesRead());
    }
    // That all lines of the part end in one way is seen by COPY; so the last speaks for all.
    const own = tail.toString('latin1');
    refuseLineEnd(file, part, own === '\r\n' ? 'CR LF' : own.endsWith('\n') ? 'LF' : 'CR');
  }
  if (part.verbatim) return { chunks: verbatim(), totals };
  const tell = (): void => onProgress?.(state.records, source.bytesRead());
  async function* checked(): AsyncGenerator<Buffer> {
    yield* scanned(file, state, source.chunks, () => part.from, tell);
    if (state.records !== (part.records ?? state.records)) throw changedMeanwhile(file);
    // A single record may be the file's last, and have its line end from the scanner.
    if (state.records > 1) refuseLineEnd(file, part, lineEndOf(state));
  }
  return { chunks: checked(), totals };
}

function changedMeanwhile(file: SourceFile): EtlError {
  return new EtlError(
    'ETL_FILE_CHANGED',
    'The file changed between the two times that it was read.',
    'Run again once it is complete.',
    { file: file.name },
  );
}

function refuseLineEnd(file: SourceFile, part: CsvPart, own: LineEnd | null): void {
  if (own === part.lineEnd || part.records === 0 || part.lineEnd === null) return;
  throw new EtlError(
    'ETL_CSV_MALFORMED',
    `Its lines end in ${part.lineEnd} at first, and from record ${part.firstRecord} on in ${own}.`,
    'Write the file with one kind of line end.',
    { file: file.name },
  );
}
