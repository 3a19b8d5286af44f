import { errorRecordOf, type ErrorRecord } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { Connection } from '../../target/connect.ts';
import { merge } from '../../target/merge.ts';
import { indexRows, stagedRanges } from '../../target/staging.ts';
import type { StagingTable } from '../../target/staging.ts';
import { isRowFault } from './quarantine.ts';
import type { LoadTask, StagedFile } from '../unit-task.ts';

/** A staged row that was refused when its turn came. */
export interface RefusedInTurn {
  readonly table: StagingTable;
  readonly file: number;
  readonly row: number;
  readonly error: ErrorRecord;
}

/**
 * Merges what is staged in order of precedence, piece by piece, in a transaction that is rolled back,
 * and returns the rows that are refused when they are merged after all the good ones before them: a
 * key of another unique index, an exclusion, what a trigger raises, a row without a partition. Pieces
 * halve with each refusal and double with each success. It ends early when it has found as many as
 * can be held; what it found is right nevertheless.
 */
export async function tryInOrder(
  connection: Connection,
  load: LoadTask,
  tables: readonly StagingTable[],
  files: readonly StagedFile[],
): Promise<readonly RefusedInTurn[]> {
  const pieces = await piecesOf(connection, tables, files);
  const refused: RefusedInTurn[] = [];
  await connection.query('begin');
  try {
    await connection.query('set constraints all immediate');
    for (const piece of pieces) {
      await tryPiece(connection, load, piece, refused);
      if (refused.length >= LIMITS.refusedRowsHeldMax) break;
    }
  } finally {
    if (connection.usable()) await connection.query('rollback');
  }
  return refused;
}

interface Piece {
  readonly table: StagingTable;
  readonly file: number;
  readonly from: number;
  readonly to: number;
}

/** The rows of each file in each table, in order of precedence: parts of a file lie in several. */
async function piecesOf(
  connection: Connection,
  tables: readonly StagingTable[],
  files: readonly StagedFile[],
): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for (const table of tables) {
    await indexRows(connection, table);
    for (const range of await stagedRanges(connection, table)) {
      const file = range.file ?? files[0]?.file.ordinal ?? 0;
      pieces.push({ table, file, from: range.first, to: range.last + 1 });
    }
  }
  return pieces.sort((a, b) => a.file - b.file || a.from - b.from);
}

async function tryPiece(
  connection: Connection,
  load: LoadTask,
  { table, file, from, to }: Piece,
  refused: RefusedInTurn[],
): Promise<void> {
  let size = to - from;
  for (let at = from; at < to && refused.length < LIMITS.refusedRowsHeldMax;) {
    const end = Math.min(to, at + size);
    const error = await tryRows(connection, load, table, file, { from: at, to: end });
    if (error === null) {
      at = end;
      size *= 2;
    } else if (end - at > 1) {
      size = Math.ceil((end - at) / 2);
    } else {
      refused.push({ table, file, row: at, error });
      at = end;
    }
  }
}

async function tryRows(
  connection: Connection,
  load: LoadTask,
  table: StagingTable,
  file: number,
  rows: { readonly from: number; readonly to: number },
): Promise<ErrorRecord | null> {
  const source = { tables: [table], file: table.fileColumn ? file : null, owner: null, rows };
  await connection.query('savepoint etl_try');
  try {
    const stagedRows = rows.to - rows.from;
    await merge(connection, load.target, source, { countRows: load.countRows, stagedRows });
    await connection.query('release savepoint etl_try');
    return null;
  } catch (error) {
    const record = errorRecordOf(error);
    if (!isRowFault(record)) throw error;
    await connection.query('rollback to savepoint etl_try; release savepoint etl_try');
    return record;
  }
}
