/** The text with the table between `<!-- name -->` and `<!-- /name -->` renewed. Throws without them. */
export function withTable(text: string, name: string, table: string): string {
  const pattern = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
  if (!pattern.test(text)) throw new Error(`There is no <!-- ${name} --> … <!-- /${name} -->.`);
  return text.replace(pattern, (_, start: string, end: string) => `${start}\n${table}\n${end}`);
}

export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}
