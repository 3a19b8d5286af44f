import { present } from '../assert.ts';
import type { DocumentField } from '../source/documents/document-rows.ts';
import type { JsonField } from '../source/json/json-stream.ts';
import type { DocumentDescription, FileDescription } from '../source/source-file.ts';
import { stageColumn, type StageColumn } from './binary/stage-column.ts';
import { contentAsDigits, documentType, isLargeContent } from './document-column.ts';
import { lengthOf } from './cast-sql.ts';
import { jsonForm } from './json-form.ts';
import type { StagingColumn, StagingTable } from './staging.ts';
import type { TargetColumn, TargetType } from './table.ts';
import { TEXT_TYPE } from './types.ts';

/** A file as far as its place in staging depends on it. */
export interface LaidFile {
  readonly ordinal: number;
  readonly description: FileDescription;
  /** For each column of the file: the column of the target, or null (ignored). */
  readonly targets: readonly (string | null)[];
  /** The same for each further table that takes the rows; see joint-staging.ts. */
  readonly further?: readonly (readonly (string | null)[])[];
}

/** How one file is copied: staging columns in the order in which COPY gets them. */
export interface FileLayout {
  readonly copyColumns: readonly string[];
  /**
   * Where several tables take the rows: the file's names of copyColumns, which of these read an empty
   * text as NULL, and whether values are staged as text for each table to cast.
   */
  readonly fileColumns?: readonly string[];
  readonly forceNull?: readonly string[];
  readonly asText?: boolean;
  /** Parquet: the columns to read, and how each is encoded, in the order of copyColumns. */
  readonly parquet: readonly { readonly name: string; readonly stage: StageColumn }[] | null;
  /** JSON and transformed rows: the columns to read, and how each is spelled, in the order of copyColumns. */
  readonly json: readonly JsonField[] | null;
  /** Documents: the columns to make, and how each is encoded, in the order of copyColumns. */
  readonly documents?: readonly StagedField[];
  /** Documents behind a transform: places of the contents that go to a bytea; absent: none. */
  readonly digits?: readonly number[];
}

export interface StagedField extends DocumentField {
  readonly stage: StageColumn;
}

/** One staging table that holds several files: they must agree on what `layoutKey` says. */
export interface StagingLayout {
  readonly table: StagingTable;
  readonly files: ReadonlyMap<number, FileLayout>;
}

export function stagingLayout(
  columns: readonly TargetColumn[],
  files: readonly LaidFile[],
  table: { sqlName: string; kind: StagingTable['kind']; fileColumn: boolean },
): StagingLayout {
  const staged: StagingColumn[] = [];
  const place = (key: string, make: (name: string) => StagingColumn): string => {
    const known = places.get(key);
    if (known !== undefined) return known;
    const column = make(`c${staged.length}`);
    staged.push(column);
    places.set(key, column.name);
    return column.name;
  };
  const places = new Map<string, string>();
  const layouts = files.map((file) => [file.ordinal, layFile(columns, file, place)] as const);
  return { table: { ...table, columns: staged }, files: new Map(layouts) };
}

/** Equal for files that may share a staging table and be merged by one statement. */
export function layoutKey(columns: readonly TargetColumn[], file: LaidFile): string {
  const fields = file.targets.flatMap((target, index) => {
    if (target === null) return [];
    const column = columnNamed(columns, target);
    const { type } = readAs(column);
    return [`${target}\u0000${stagedType(type, file.description, index).sqlType}`];
  });
  return fields.sort().join('\u0001');
}

/**
 * Whether COPY can fill the target itself with the file: no field is left over, none is cast. And no
 * domain is left without a value: INSERT asks it whether it may be NULL, and COPY does not.
 */
export function copiesWhole(columns: readonly TargetColumn[], file: LaidFile): boolean {
  if (file.description.kind === 'csv' && file.targets.includes(null)) return false;
  if (columns.some((column) => isOmittedDomain(column, file.targets))) return false;
  const { table } = stagingLayout(columns, [file], {
    sqlName: '',
    kind: 'temp',
    fileColumn: false,
  });
  return table.columns.every(({ cast, looksUp }) => cast === null && looksUp === undefined);
}

function isOmittedDomain(
  { name, type, hasDefault, generated }: TargetColumn,
  targets: LaidFile['targets'],
): boolean {
  return type.kind === 'domain' && !hasDefault && generated === 'no' && !targets.includes(name);
}

/**
 * What the files bring for a column: its own values, or those that they are looked up by; these as
 * text where their case is still to be folded.
 */
export function readAs({
  type,
  collation,
  lookup,
}: TargetColumn): Pick<TargetColumn, 'type' | 'collation'> {
  if (lookup === undefined) return { type, collation };
  const { match, fold } = lookup;
  return fold === null ? match : { type: TEXT_TYPE, collation: match.collation };
}

type Place = (key: string, make: (name: string) => StagingColumn) => string;

function layFile(columns: readonly TargetColumn[], file: LaidFile, place: Place): FileLayout {
  const copyColumns: string[] = [];
  const parquet: { name: string; stage: StageColumn }[] = [];
  const json: JsonField[] = [];
  const documents: StagedField[] = [];
  const digits: number[] = [];
  file.targets.forEach((target, index) => {
    if (target === null) {
      // COPY takes every field of a CSV record, so what is ignored needs a column, too.
      if (file.description.kind === 'csv') {
        copyColumns.push(place(`ignored ${index}`, ignoredColumn));
      }
      return;
    }
    const column = columnNamed(columns, target);
    const { type, collation } = readAs(column);
    const { sqlType, stage } = stagedType(type, file.description, index);
    const isOwn = sqlType === type.declared;
    copyColumns.push(
      place(`target ${target}`, (name) => ({
        name,
        sqlType,
        collation: isOwn ? collation : null,
        notNull: column.notNull || column.lookup?.required === true,
        target: column.lookup === undefined ? target : null,
        cast: isOwn ? null : castOf(type),
        ...(isOwn ? {} : lengthOf(type)),
        ...(column.lookup === undefined ? {} : { looksUp: target }),
        ...(isLargeContent(file.description, index, sqlType) ? { uncompressed: true } : {}),
      })),
    );
    const { description } = file;
    if (description.kind === 'document' && stage !== null) {
      documents.push({ ...documentField(description, index, type), stage });
    } else if (stage !== null) {
      parquet.push({ name: columnOfFile(description, index), stage });
    }
    json.push({ column: index, form: jsonForm(type) });
    const content = contentAsDigits(description, index, type);
    if (content !== null) digits.push(content);
  });
  const { kind } = file.description;
  return {
    copyColumns,
    parquet: kind === 'parquet' ? parquet : null,
    json: kind === 'json' || kind === 'transformed' ? json : null,
    ...(kind === 'document' ? { documents } : {}),
    ...(digits.length === 0 ? {} : { digits }),
  };
}

/** Types whose modifier rounds; that of others is a length, beyond which a cast would cut. */
const ROUNDED = /^_?(?:numeric|time|timetz|timestamp|timestamptz|interval)$/;

/**
 * What the merge casts a staged value to. Rounding must come before the keys are compared: else two
 * keys could become one in the target only.
 */
export function castOf(type: TargetType): string {
  return type.kind !== 'domain' && ROUNDED.test(type.typeName) ? type.declared : type.cast;
}

function ignoredColumn(name: string): StagingColumn {
  return { name, sqlType: 'text', collation: null, notNull: false, target: null, cast: null };
}

/** From text the database reads the target's own type; from Parquet what can be encoded exactly. */
function stagedType(
  type: TargetType,
  description: FileDescription,
  index: number,
): { sqlType: string; stage: StageColumn | null } {
  if (description.kind === 'document') {
    const stage = stageColumn(documentField(description, index, type).type, type);
    return { sqlType: stage.sqlType, stage };
  }
  if (description.kind !== 'parquet') return { sqlType: type.declared, stage: null };
  const stage = stageColumn(present(description.columns[index], 'a column of the file').type, type);
  return { sqlType: stage.sqlType, stage };
}

function documentField(
  { columns }: DocumentDescription,
  index: number,
  target: TargetType,
): DocumentField {
  const { name, source } = present(columns[index], 'a column of the documents');
  return { name, source, type: documentType(source, target) };
}

function columnOfFile(description: FileDescription, index: number): string {
  const column = present(description.columns[index], 'a column of the file');
  return typeof column === 'string' ? column : column.name;
}

function columnNamed(columns: readonly TargetColumn[], name: string): TargetColumn {
  return present(
    columns.find((column) => column.name === name),
    `column ${name}`,
  );
}
