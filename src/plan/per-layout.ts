import type { FilePlan } from './plan-types.ts';

type Laid = Pick<FilePlan, 'description' | 'targets'>;

/**
 * The same work, done once for neighbours that share their description and where their columns go, as
 * all documents of a load do: for each of 100,000 it would take a second.
 */
export function oncePerLayout<File extends Laid, Result>(
  work: (file: File) => Result,
): (file: File) => Result {
  let last: { readonly file: Laid; readonly result: Result } | null = null;
  return (file) => {
    if (last?.file.description !== file.description || last.file.targets !== file.targets) {
      last = { file, result: work(file) };
    }
    return last.result;
  };
}
