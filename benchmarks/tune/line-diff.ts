/** Lines of context on both sides of a change. */
const CONTEXT = 2;
const TABLE_CELLS_MAX = 4_000_000;

/**
 * What changed between two texts, line by line: `-` for lines that went, `+` for lines that came,
 * two spaces for those around them. Empty where the texts are equal.
 */
export function lineDiff(before: string, after: string): string {
  if (before === after) return '';
  const [old, now] = [before.split('\n'), after.split('\n')];
  const start = sharedPrefix(old, now);
  const tail = sharedPrefix(old.slice(start).reverse(), now.slice(start).reverse());
  const changes = compare(old.slice(start, old.length - tail), now.slice(start, now.length - tail));
  const head = old.slice(Math.max(0, start - CONTEXT), start);
  const foot = old.slice(old.length - tail, old.length - tail + CONTEXT);
  const lines = [...head.map(unchanged), ...changes, ...foot.map(unchanged)];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function unchanged(line: string): string {
  return `  ${line}`;
}

function sharedPrefix(a: readonly string[], b: readonly string[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}

/** By the longest common subsequence; the part that differs is some lines of settings. */
function compare(old: readonly string[], now: readonly string[]): string[] {
  if (old.length * now.length > TABLE_CELLS_MAX) {
    return [...old.map((line) => `- ${line}`), ...now.map((line) => `+ ${line}`)];
  }
  const width = now.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      const best = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
      common[i * width + j] = best;
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push(unchanged(old[i] ?? ''));
      [i, j] = [i + 1, j + 1];
    } else if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(`- ${old[i++] ?? ''}`);
    } else {
      lines.push(`+ ${now[j++] ?? ''}`);
    }
  }
  return lines;
}
