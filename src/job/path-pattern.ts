/**
 * A pattern that the end of a path must match: `{year}/{id}_{level}.html`. What stands in braces is a
 * placeholder, a text of at least one character without a slash; all else is literal.
 */
export interface PathPattern {
  /** Names of the placeholders, in order. */
  readonly names: readonly string[];
  /** Their texts in a path, in the same order; null where the path does not match. */
  readonly match: (path: string) => readonly string[] | null;
}

/**
 * Returns the pattern, or what is wrong with it, as the end of a sentence.
 *
 * It begins where a folder or a file name begins, so `{id}.html` takes all of the name. A placeholder
 * ends where what follows it first matches: `{id}_{rest}.html` reads `1_2_3.html` as 1 and `2_3`.
 */
export function parsePathPattern(pattern: string): PathPattern | string {
  const pieces = pattern.replace(/^(?:\.\/)+/, '').split(/(\{[^{}/]*\})/);
  const names: string[] = [];
  let source = '';
  for (const [place, piece] of pieces.entries()) {
    const name = /^\{(.*)\}$/s.exec(piece)?.[1];
    if (name === undefined) {
      if (/[{}]/.test(piece)) return 'a brace stands alone';
      if (piece === '' && place > 0 && place < pieces.length - 1) {
        return `between {${names.at(-1) ?? ''}} and the placeholder behind it stands nothing that tells them apart`;
      }
      source += piece.replaceAll(/[\\^$.*+?()[\]|]/g, '\\$&');
      continue;
    }
    if (name.trim() !== name || name === '') return `${piece} is no name`;
    if (names.includes(name)) return `{${name}} comes twice`;
    names.push(name);
    source += '([^/]+?)';
  }
  if (names.length === 0) return 'it has no placeholder such as {id}';
  const start = source.startsWith('/') ? '^' : '(?:^|/)';
  const expression = new RegExp(`${start}${source}$`, 'u');
  return { names, match: (path: string) => expression.exec(path)?.slice(1) ?? null };
}
