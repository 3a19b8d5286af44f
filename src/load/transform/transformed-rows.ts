import { assert, present } from '../../assert.ts';
import { EtlError, type ErrorCode } from '../../errors.ts';
import { remedy, setting } from '../../remedy.ts';
import { LIMITS } from '../../limits.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { JsonField } from '../../source/json/json-stream.ts';
import { copyLine } from '../../source/rows/copy-text.ts';
import type { TextPiece, TextRow, TextRows, TextRowsPart } from '../../source/rows/text-row.ts';
import { openTextRows } from '../../source/rows/text-rows.ts';
import type { TransformedDescription } from '../../source/source-file.ts';
import { recordLine } from '../record-line.ts';
import { openTransform } from './open-transform.ts';
import { isFault, transformBatch, type RowFault, type TransformRun } from './transform-batch.ts';

/** The rows that a transform makes of a file, as lines of COPY's text format. */
export interface TransformedRows {
  /** To be iterated once; leaving early closes the file. */
  readonly pieces: AsyncIterable<TransformedPiece>;
  /** After the end of `pieces`; the hash is null of a part that is not the file's first. */
  totals(): Promise<{ readonly rows: number; readonly contentHash: string | null }>;
}

export type TransformedPiece =
  | {
      readonly kind: 'rows';
      readonly bytes: Buffer;
      /** 1-based number in the file of the first; the others follow without a gap. */
      readonly first: number;
      readonly count: number;
    }
  | ({ readonly kind: 'bad'; readonly record: number } & RowFault);

export interface TransformedOptions {
  /** The columns that are sent, in their order. */
  readonly fields: readonly JsonField[];
  /** For each of them, whether an empty text is NULL. */
  readonly emptyIsNull: readonly boolean[];
  /** Whether each line begins with the number of its row. */
  readonly numbered: boolean;
  readonly part: TextRowsPart | undefined;
  /** Rows of one batch. */
  readonly subBatchSize: number;
  /** Whether a bad row is a piece of its own, and no error. */
  readonly goOn: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (rows: number, bytes: number) => void;
}

/**
 * @throws EtlError (while iterating) ETL_TRANSFORM, ETL_CSV_MALFORMED and ETL_ROW_INVALID for a bad
 *   row, and what importing the transform and reading the file throw
 */
export async function openTransformedRows(
  file: FilePlan,
  description: TransformedDescription,
  options: TransformedOptions,
): Promise<TransformedRows> {
  const { subBatchSize, part, signal, goOn } = options;
  const { input, transform, columns } = description;
  assert(input.kind !== 'document', 'documents go through a transform together');
  const opened = await openTransform(transform, signal);
  const run: TransformRun = { ...opened, columns, signal, stops: !goOn };
  const source = openTextRows(file, input, {
    forms: input.columns.map((_, place) => formOf(description, options.fields, place)),
    rowsMax: subBatchSize,
    part,
    signal,
  });
  const counter = { rows: 0 };
  return {
    pieces: piecesOf(file, source, { run, options, counter }),
    totals: async () => ({ rows: counter.rows, contentHash: await source.contentHash() }),
  };
}

/** A column that goes to the table is spelled as the table takes it; the others as their text. */
function formOf(
  { columns }: TransformedDescription,
  fields: readonly JsonField[],
  place: number,
): JsonField['form'] {
  return fields.find(({ column }) => columns[column]?.place === place)?.form ?? 'text';
}

interface Making {
  readonly run: TransformRun;
  readonly options: TransformedOptions;
  readonly counter: { rows: number };
}

/** What the file brings next: a row, or why there is none. */
type Entry =
  | { readonly record: number; readonly row: TextRow }
  | { readonly record: number; readonly fault: RowFault };

async function* piecesOf(
  file: FilePlan,
  source: TextRows,
  making: Making,
): AsyncGenerator<TransformedPiece> {
  const { options, counter } = making;
  for await (const entries of batchesOf(source.pieces, options.subBatchSize)) {
    yield* transformed(file, entries, making);
    counter.rows += entries.length;
    options.onProgress(counter.rows, source.bytesRead());
  }
}

/** As many rows at a time as the job asks for, however they come from the file. */
async function* batchesOf(
  pieces: AsyncIterable<TextPiece>,
  rowsMax: number,
): AsyncGenerator<Entry[]> {
  let entries: Entry[] = [];
  let characters = 0;
  for await (const piece of pieces) {
    if (piece.kind === 'bad') {
      const { record, reason, column } = piece;
      entries.push({ record, fault: { reason, column } });
      continue;
    }
    for (const [index, row] of piece.rows.entries()) {
      entries.push({ record: piece.first + index, row });
      for (const field of row) characters += field?.length ?? 0;
      if (entries.length < rowsMax && characters < LIMITS.transformBatchCharactersMax) continue;
      yield entries;
      entries = [];
      characters = 0;
    }
  }
  if (entries.length > 0) yield entries;
}

async function* transformed(
  file: FilePlan,
  entries: readonly Entry[],
  { run, options }: Making,
): AsyncGenerator<TransformedPiece> {
  const rows = entries.flatMap((entry) => ('row' in entry ? [entry.row] : []));
  const outcomes = rows.length === 0 ? [] : await transformBatch(run, rows);
  let text = '';
  let first = 0;
  let count = 0;
  let next = 0;
  const taken = (): TransformedPiece => ({ kind: 'rows', bytes: Buffer.from(text), first, count });
  for (const entry of entries) {
    const { record } = entry;
    const outcome = 'row' in entry ? present(outcomes[next++], 'the outcome') : entry.fault;
    if (!isFault(outcome)) {
      if (count === 0) first = record;
      text += transformedLine(outcome, record, options);
      count++;
      continue;
    }
    if (!options.goOn) throw await rowError(file, record, outcome, 'row' in entry);
    if (count > 0) yield taken();
    text = '';
    count = 0;
    yield { kind: 'bad', record, ...outcome };
  }
  if (count > 0) yield taken();
}

/** What COPY gets of a row. */
export type LineOptions = Pick<TransformedOptions, 'fields' | 'emptyIsNull' | 'numbered'>;

export function transformedLine(
  row: TextRow,
  record: number,
  { fields, emptyIsNull, numbered }: LineOptions,
): string {
  const values = numbered ? [String(record)] : [];
  const sent: (string | null)[] = values;
  for (let index = 0; index < fields.length; index++) {
    const value = row[fields[index]?.column ?? -1] ?? null;
    sent.push(value === '' && emptyIsNull[index] === true ? null : value);
  }
  return copyLine(sent);
}

async function rowError(
  file: FilePlan,
  record: number,
  { reason, column }: RowFault,
  byTransform: boolean,
): Promise<EtlError> {
  const { description } = file;
  const input = description.kind === 'transformed' ? description.input.kind : description.kind;
  const bad: ErrorCode = input === 'csv' ? 'ETL_CSV_MALFORMED' : 'ETL_ROW_INVALID';
  return new EtlError(
    byTransform ? 'ETL_TRANSFORM' : bad,
    reason,
    remedy`Correct the row or the transform, or load the others with ${setting('settings.onError', 'quarantine')}.`,
    {
      file: file.name,
      line: await recordLine(file, record),
      ...(input === 'json' ? { record } : {}),
      ...(column === null ? {} : { column }),
    },
  );
}
