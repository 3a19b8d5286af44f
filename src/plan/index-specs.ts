import { EtlError, type ErrorRecord } from '../errors.ts';
import { isExpression } from '../job/index-checks.ts';
import { didYouMean } from '../job/nearest-name.ts';
import type { IndexRequest } from '../job/index-schema.ts';
import { LIMITS } from '../limits.ts';
import type { IndexSpec } from '../target/indexes.ts';
import { quoted } from '../target/names.ts';
import { digest } from './canonical-json.ts';
import { matchName } from './match-name.ts';
import type { PlannedTable } from './plan-types.ts';

type Table = Pick<PlannedTable, 'name' | 'sqlName' | 'columns'>;

/** A column and what may stand behind it: an operator class, `desc`, `nulls first`. */
const WITH_OPTIONS = /^(\S+|"(?:[^"]|"")+")\s+([a-z_][\w.]*(?:\s+[a-z_]+)*)$/i;

const SUFFIX = 'idx';
const HASH_CHARACTERS = 8;

/** The indexes that a load asks for, as SQL; what is wrong with them joins the problems. */
export function indexSpecs(
  requests: readonly IndexRequest[],
  table: Table,
  problems: ErrorRecord[],
): IndexSpec[] {
  const specs = requests.map((request): IndexSpec => {
    const elements = request.columns.map((column) => elementSql(column, table, problems));
    const where = request.where === null ? '' : ` where (${request.where})`;
    const using = `${request.method} (${elements.join(', ')})${where}`;
    const name = request.name ?? defaultName(request, table, using);
    return { name, unique: request.unique, using };
  });
  for (const [place, { name }] of specs.entries()) {
    if (specs.findIndex((other) => other.name === name) < place) {
      problems.push(problem(table, `The index ${name} is asked for twice.`, 'Name it once.'));
    }
    if (Buffer.byteLength(name) > LIMITS.identifierBytesMax) {
      const sentence = `The name ${name} is longer than PostgreSQL's ${LIMITS.identifierBytesMax} bytes.`;
      problems.push(problem(table, sentence, 'Give the index a shorter one, or none.'));
    }
  }
  return specs;
}

function elementSql(column: string, table: Table, problems: ErrorRecord[]): string {
  const names = table.columns.map(({ name }) => name);
  const whole = matchName(column, names);
  if (whole !== null) return quoted(whole);
  if (isExpression(column)) return column;
  const [, first = '', options = ''] = WITH_OPTIONS.exec(column) ?? [];
  const name = matchName(first, names);
  if (name !== null) return `${quoted(name)} ${options}`;
  problems.push(
    new EtlError(
      'ETL_COLUMN_MISSING',
      `${table.sqlName} has no column "${column}" for an index.${didYouMean(column, names)}`,
      `The columns: ${names.join(', ')}. An expression has parentheses: lower(name).`,
      { table: table.sqlName, column },
    ).record,
  );
  return quoted(column);
}

/**
 * As PostgreSQL names an index, `pages_scraped_at_idx`, but without the number that it adds to a name
 * that is taken: the same request has the same name in each run. A hash of the definition tells apart
 * what the columns' names do not, and stands for what would not fit into 63 bytes.
 */
function defaultName(request: IndexRequest, table: Table, using: string): string {
  const words = request.columns.map((column) =>
    column
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
      .replaceAll(/^_+|_+$/g, ''),
  );
  const stem = [table.name, ...words.filter((word) => word !== '')].join('_');
  const names = table.columns.map(({ name }) => name);
  const plain =
    request.method === 'btree' &&
    !request.unique &&
    request.where === null &&
    request.columns.every((column) => matchName(column, names) !== null);
  const name = `${stem}_${SUFFIX}`;
  if (plain && Buffer.byteLength(name) <= LIMITS.identifierBytesMax) return name;
  const hash = digest({ unique: request.unique, using, stem }).slice(0, HASH_CHARACTERS);
  const tail = `_${hash}_${SUFFIX}`;
  return `${cutToBytes(stem, LIMITS.identifierBytesMax - tail.length)}${tail}`;
}

/** Whole characters only. */
function cutToBytes(text: string, bytesMax: number): string {
  let bytes = 0;
  let cut = '';
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > bytesMax) break;
    cut += character;
  }
  return cut;
}

function problem({ sqlName }: Table, sentence: string, remedy: string): ErrorRecord {
  return new EtlError('ETL_USAGE', sentence, remedy, { table: sqlName }).record;
}
