import { randomUUID } from 'node:crypto';
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { assert } from '../../src/assert.ts';
import { EtlError } from '../../src/errors.ts';
import { setMembers } from './json-edit.ts';
import { lineDiff } from './line-diff.ts';
import type { Recommendation } from './recommendation.ts';

export interface Applied {
  readonly changed: boolean;
  /** For people: the lines that changed, some around them; empty where nothing did. */
  readonly diff: string;
}

/**
 * Writes the recommended settings into a job file and leaves everything else in it as it is, the
 * white space too. Whoever reads the file sees the old text or the new one. No copy of the old text
 * is kept: the diff says what it was.
 *
 * @throws EtlError ETL_USAGE where the file cannot be read or written
 */
export async function applyRecommendation(
  configPath: string,
  { settings }: Pick<Recommendation, 'settings'>,
): Promise<Applied> {
  // A link stays a link: what it points to is replaced.
  const path = await realpath(configPath).catch((error: unknown) => refuse(configPath, error));
  const before = await readFile(path, 'utf8').catch((error: unknown) => refuse(configPath, error));
  const after = setMembers(before, 'settings', settings);
  const expected = parsed(before);
  assert(
    isDeepStrictEqual(parsed(after), {
      ...expected,
      ...(Object.keys(settings).length === 0
        ? {}
        : { settings: { ...(expected['settings'] ?? {}), ...settings } }),
    }),
    'the job file differs in its settings only',
  );
  if (after === before) return { changed: false, diff: '' };
  await replaceFile(path, after).catch((error: unknown) => refuse(configPath, error));
  return { changed: true, diff: lineDiff(before, after) };
}

function parsed(text: string): Record<string, object | undefined> {
  return JSON.parse(text.replace(/^\uFEFF/, '')) as Record<string, object | undefined>;
}

async function replaceFile(path: string, text: string): Promise<void> {
  const { mode } = await stat(path);
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(aside, 'wx', mode);
    try {
      // The mode of open() is cut by the process's mask.
      await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

function refuse(file: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new EtlError(
    'ETL_USAGE',
    `The recommended settings cannot be written: ${reason}.`,
    'Check the permissions of the job file and its folder, or change the settings by hand.',
    { file },
    { cause },
  );
}
