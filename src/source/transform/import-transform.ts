import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EtlError } from '../../errors.ts';
import { importUrl } from '../../import-url.ts';
import { LIMITS } from '../../limits.ts';
import type { Transform } from './define-transform.ts';
import { importTypeScript } from './import-typescript.ts';

/**
 * Imports the module of a transform into this thread, and checks what it exports. A module that was
 * written to since is imported again. This runs the module's code.
 *
 * @param path absolute
 * @throws EtlError ETL_FILE_NOT_FOUND, ETL_TRANSFORM
 */
export async function importTransform(path: string): Promise<Transform> {
  const url = pathToFileURL(path);
  url.searchParams.set('v', String(await modifiedAt(path)));
  let module: unknown;
  try {
    module = await importModule(url.href, path);
  } catch (error) {
    if (error instanceof EtlError) throw error;
    throw transformError(
      path,
      `The transform cannot be imported: ${messageOf(error)}`,
      'Run it by node alone to see where it fails, and correct it.',
      error,
    );
  }
  const transform = (module as { readonly default?: unknown }).default;
  const problem = problemOf(transform);
  if (problem === null) return transform as Transform;
  throw transformError(
    path,
    `The transform cannot be used: ${problem}.`,
    'Let its default export be defineTransform({ columns: […], transform(rows) { … } }).',
  );
}

/** Milliseconds; told apart here, so that a module that is not there is told in plain words. */
async function modifiedAt(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    throw new EtlError(
      'ETL_FILE_NOT_FOUND',
      'The module of the transform does not exist.',
      'Give its path relative to the job file.',
      { file: basename(path) },
      { cause: error },
    );
  }
}

async function importModule(url: string, path: string): Promise<unknown> {
  try {
    return await importUrl(url);
  } catch (error) {
    if (!isTypeScriptUnread(error, path)) throw error;
  }
  const module = await importTypeScript(url, path);
  if (module !== null) return module;
  throw transformError(
    path,
    `Node ${process.versions.node} does not read TypeScript, and the package typescript is not installed.`,
    'Install typescript beside the module, use Node 22.18 or later, or write it in JavaScript.',
  );
}

function isTypeScriptUnread(error: unknown, path: string): boolean {
  return (
    /\.m?ts$/.test(path) &&
    (error as NodeJS.ErrnoException | null)?.code === 'ERR_UNKNOWN_FILE_EXTENSION'
  );
}

/** What is wrong with the default export, for a sentence. */
function problemOf(transform: unknown): string | null {
  if (typeof transform !== 'object' || transform === null) {
    return 'it has no default export that is an object';
  }
  const { columns, version, setUp, transform: call } = transform as Record<string, unknown>;
  if (typeof call !== 'function') return 'its "transform" is not a function';
  if (setUp !== undefined && typeof setUp !== 'function') return 'its "setUp" is not a function';
  if (version !== undefined && typeof version !== 'string') return 'its "version" is not a text';
  return problemOfColumns(columns);
}

function problemOfColumns(columns: unknown): string | null {
  if (typeof columns !== 'object' || columns === null) return 'it does not say its "columns"';
  const listed = Array.isArray(columns);
  const names: readonly unknown[] = listed ? (columns as unknown[]) : Object.keys(columns);
  const types: readonly unknown[] = listed ? [] : Object.values(columns);
  if (names.length === 0) return 'its "columns" are none';
  if (names.length > LIMITS.columnsMax) return `it has more than ${LIMITS.columnsMax} "columns"`;
  if ([...names, ...types].some((text) => typeof text !== 'string' || text === '')) {
    return 'its "columns" are not names, or names with their SQL types';
  }
  return new Set(names).size < names.length ? 'one of its "columns" comes twice' : null;
}

export function transformError(
  path: string,
  sentence: string,
  remedy: string,
  cause?: unknown,
): EtlError {
  return new EtlError('ETL_TRANSFORM', sentence, remedy, { file: basename(path) }, { cause });
}

/** What a module of somebody else's threw, as the end of a sentence. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const short = text.slice(0, LIMITS.rejectReasonMax).trim();
  return /[.!?]$/.test(short) ? short : `${short}.`;
}
