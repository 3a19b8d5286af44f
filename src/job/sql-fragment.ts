/**
 * Why a text cannot stand as one expression inside of a statement; null where it can. It is the
 * server that judges the SQL: here it is only seen that what comes after the text stays SQL of ours,
 * so no quote or parenthesis is left open, nothing is closed that was not opened, and there is no
 * comment and no second statement.
 */
export function fragmentProblem(text: string): string | null {
  const rest = text.replaceAll(QUOTED, ' ');
  if (rest.includes(';')) return 'it holds a semicolon';
  if (rest.includes('--') || rest.includes('/*')) return 'it holds a comment';
  if (/['"]|\$[A-Za-z_0-9]*\$/.test(rest)) return 'a quote is left open';
  let open = 0;
  for (const character of rest) {
    if (character === '(') open += 1;
    if (character === ')') open -= 1;
    if (open < 0) break;
  }
  if (open !== 0) return 'its parentheses do not match';
  return text.trim() === '' ? 'it is empty' : null;
}

/**
 * Whatever is quoted, in all ways that SQL has: E'…' with backslashes, '…', "…" and $tag$…$tag$. No
 * comment begins inside of it, and one that begins before it stays to be seen.
 */
const QUOTED =
  /(?<![A-Za-z_0-9])[eE]'(?:[^'\\]|''|\\[\s\S])*'|(?<!(?<![A-Za-z_0-9])[eE])'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<![A-Za-z_0-9$])\$([A-Za-z_][A-Za-z_0-9]*|)\$[\s\S]*?\$\1\$/g;
