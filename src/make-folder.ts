import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it that are missing; returns what it made, outermost first.
 *
 * Not by mkdir's own `recursive`: where a file system answers ENOENT though the folder above is there
 * (/proc, an automounter), Node 20 tries again for ever, on a thread that nothing stops.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<readonly string[]> {
  try {
    return await makeOne(path, mode);
  } catch (error) {
    const above = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) throw error;
    const made = await makeFolder(above, mode);
    return [...made, ...(await makeOne(path, mode))];
  }
}

/** None where it is there, perhaps made by somebody else at this moment. */
async function makeOne(path: string, mode: number): Promise<readonly string[]> {
  try {
    await mkdir(path, { mode });
    return [path];
  } catch (error) {
    const there = await stat(path).catch(() => null);
    if (there?.isDirectory() !== true) throw error;
    return [];
  }
}
