import type { SourceFile } from './source-file.ts';

type FileFormat = Pick<SourceFile, 'format' | 'compression'>;
interface Refusal {
  readonly sentence: string;
  readonly remedy: string;
}

const formats: Readonly<Record<string, SourceFile['format']>> = {
  csv: 'csv',
  txt: 'csv',
  tsv: 'tsv',
  parquet: 'parquet',
  pq: 'parquet',
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
};
const compressions: Readonly<Record<string, SourceFile['compression']>> = {
  gz: 'gzip',
  zst: 'zstd',
};

/** What a file's name says of its format. `fallback` is for names that say nothing. */
export function formatOfName(name: string, fallback?: SourceFile['format']): FileFormat | Refusal {
  const extensions = name.toLowerCase().split('/').at(-1)?.split('.').slice(1) ?? [];
  const compression = compressions[extensions.at(-1) ?? ''];
  const extension = extensions.at(compression === undefined ? -1 : -2) ?? '';
  const format = formats[extension] ?? fallback;
  if (format === undefined) {
    return {
      sentence: 'Its name does not tell its format.',
      remedy:
        'Known are .csv, .tsv, .txt, .json, .jsonl, .ndjson, .parquet and .pq; text also with .gz or .zst after it.',
    };
  }
  if (format === 'parquet' && compression !== undefined) {
    return {
      sentence: 'A Parquet file that is compressed as a whole cannot be read.',
      remedy: 'Decompress it: Parquet compresses its own pages.',
    };
  }
  return { format, compression: compression ?? 'none' };
}
