import { distance } from 'fastest-levenshtein';

/**
 * The known name that was probably meant, or null where none is near. By default a third of the
 * letters may differ: `tabel` means `table`, but `x` does not mean `key`.
 */
export function nearestName(
  name: string,
  known: readonly string[],
  mistakesMax = Infinity,
): string | null {
  let best: string | null = null;
  let fewest = Infinity;
  for (const candidate of known) {
    const length = Math.max(name.length, candidate.length);
    const allowed = Math.min(length < 3 ? 0 : Math.ceil(length / 3), mistakesMax);
    const mistakes = mistakesBetween(plain(name), plain(candidate));
    if (mistakes <= allowed && mistakes < fewest) {
      best = candidate;
      fewest = mistakes;
    }
  }
  return best;
}

/** ` Did you mean "table"?`, or nothing. */
export function didYouMean(name: string, known: readonly string[], prefix = ''): string {
  const nearest = nearestName(name, known);
  return nearest === null ? '' : ` Did you mean ${JSON.stringify(prefix + nearest)}?`;
}

/** Upper case, dashes and underscores are no mistakes: `chunk_size` is `chunkSize`. */
function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[-_ ]/g, '');
}

function mistakesBetween(a: string, b: string): number {
  if (a === b) return 0;
  // Letters in the wrong order are one slip of the hand, though an edit distance counts each.
  return sorted(a) === sorted(b) ? 1 : distance(a, b);
}

function sorted(text: string): string {
  return Array.from(text).sort().join('');
}
