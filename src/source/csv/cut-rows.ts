import { Readable, pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { Info } from 'csv-parse';
import type { CsvDescription, SourceFile } from '../source-file.ts';
import { problemOfFieldCount } from './csv-problem.ts';
import { canonicalRecord, unreadableRecord } from './csv-rows.ts';
import type { CutBatch, RecordCutter } from './cut-records.ts';
import { countLineEnds, withoutHead } from './data-chunks.ts';
import type { PassedHead } from './data-chunks.ts';
import { parserOptions, withNulls } from './parse-text.ts';
import type { CsvFields, RawRecord } from './parse-text.ts';
import { toUtf8 } from './text-encoding.ts';

/**
 * The records of a file of the row path, in the form in which COPY gets them there. Asked for one
 * by one, each has its line; `offset` is 0, since nobody knows it. One that csv-parse cannot read ends
 * the file: where the next one begins is not known either.
 *
 * @throws EtlError (while reading) as openCsvRows, but for a wrong number of fields
 */
export function cutRows(
  file: SourceFile,
  description: CsvDescription,
  chunks: AsyncIterable<Buffer>,
  passed: PassedHead,
): RecordCutter {
  const records = numberedRecords(file, description, chunks, passed);
  let waiting: NumberedRecord | null = null;
  const nextRecord = async (): Promise<NumberedRecord | null> => {
    const record = waiting ?? (await records.next()).value ?? null;
    waiting = null;
    return record;
  };
  return {
    next: async (max) => {
      const first = await nextRecord();
      if (first === null) return null;
      const texts = [canonicalRecord(first.fields)];
      const ends = [Buffer.byteLength(texts[0] ?? '')];
      const problem = problemOfFieldCount(first.fields.length, description);
      while (problem === null && ends.length < max) {
        const record = await nextRecord();
        if (record === null) break;
        if (problemOfFieldCount(record.fields.length, description) !== null) {
          waiting = record;
          break;
        }
        const text = canonicalRecord(record.fields);
        texts.push(text);
        ends.push((ends.at(-1) ?? 0) + Buffer.byteLength(text));
      }
      const bytes = Buffer.from(texts.join(''));
      const { record, lines } = first;
      return {
        first: record,
        lines,
        bytes,
        ends,
        raw: null,
        problem,
        offset: 0,
      } satisfies CutBatch;
    },
    close: async () => {
      await records.return(undefined);
    },
  };
}

interface NumberedRecord {
  readonly record: number;
  /** Line ends before it, behind the head. */
  readonly lines: number;
  readonly fields: CsvFields;
}

interface ParsedRecord extends RawRecord {
  readonly info: Pick<Info, 'lines'>;
}

async function* numberedRecords(
  file: SourceFile,
  description: CsvDescription,
  chunks: AsyncIterable<Buffer>,
  passed: PassedHead,
): AsyncGenerator<NumberedRecord, undefined> {
  const { dialect, columns } = description;
  const text = withoutHead(toUtf8(file, chunks, dialect.encoding), dialect, passed);
  const options = { ...parserOptions(dialect, columns.length), raw: true, info: true };
  const parser = parse(options);
  // The error comes out of the loop below: pipeline destroys the parser with it.
  pipeline(Readable.from(text, { highWaterMark: 1 }), parser, () => undefined);
  let record = 0;
  try {
    for await (const parsed of parser as AsyncIterable<ParsedRecord>) {
      const fields = withNulls(parsed, dialect);
      const body = Buffer.from(fields.map((field) => field ?? '').join(''));
      record++;
      yield { record, lines: parsed.info.lines - 1 - countLineEnds(body), fields };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw await unreadableRecord(file, description, error);
  }
}
