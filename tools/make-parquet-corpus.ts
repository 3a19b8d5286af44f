import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CorpusFile } from './parquet-corpus/corpus-columns.ts';
import { hyparquetFiles } from './parquet-corpus/hyparquet-files.ts';
import { parquetjsFiles } from './parquet-corpus/parquetjs-files.ts';
import { rustFiles } from './parquet-corpus/rust-files.ts';

/**
 * Writes test/corpus/files/parquet: files by three writers at many settings, and beside each a
 * twin `.json` with the columns' types and the text of every row. Run: npx tsx tools/make-parquet-corpus.ts
 */
const folder = new URL('../test/corpus/files/parquet/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const file of [...rustFiles(), ...hyparquetFiles(), ...(await parquetjsFiles())]) {
  writeFileSync(new URL(`${file.name}.parquet`, folder), file.bytes);
  writeFileSync(new URL(`${file.name}.json`, folder), twinOf(file));
}
process.stdout.write(`Wrote ${fileURLToPath(folder)}\n`);

/** One row a line, so that a change shows where it is. */
function twinOf({ columns }: CorpusFile): string {
  const types = columns.map(({ name, type }) => `    ${JSON.stringify({ name, type })}`);
  const count = columns[0]?.texts.length ?? 0;
  const rows = Array.from(
    { length: count },
    (_, row) => `    ${JSON.stringify(columns.map(({ texts }) => texts[row] ?? null))}`,
  );
  const list = rows.length === 0 ? '[]' : `[\n${rows.join(',\n')}\n  ]`;
  return `{\n  "columns": [\n${types.join(',\n')}\n  ],\n  "rows": ${list}\n}\n`;
}
