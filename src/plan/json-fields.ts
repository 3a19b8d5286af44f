import type { FileDescription, JsonColumn } from '../source/source-file.ts';

interface Described {
  readonly description: FileDescription;
  readonly columns: readonly string[];
}

/**
 * Gives all JSON files whose columns were found the columns of all of them, in the order in which
 * they first appear. A field that no record of one page happens to have is NULL there, as it is in a
 * record of a page where others have it: what a load means must not hang on how its records are cut
 * into files.
 */
export function withFieldsOfAll<File extends Described>(files: readonly File[]): File[] {
  const all = new Map<string, JsonColumn>();
  for (const { description } of files) {
    if (description.kind !== 'json' || !description.found) continue;
    for (const column of description.columns) {
      if (!all.has(column.name)) all.set(column.name, column);
    }
  }
  const found = [...all.values()];
  const names = [...all.keys()];
  return files.map((file) => {
    const { description } = file;
    if (description.kind !== 'json' || !description.found) return file;
    return { ...file, description: { ...description, columns: found }, columns: names };
  });
}
