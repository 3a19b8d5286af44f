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

/** What people have, too, and what can be done with it. */
const OTHERS: readonly (Refusal & { readonly names: readonly string[] })[] = [
  {
    names: ['xlsx', 'xls', 'xlsm', 'xlsb', 'ods'],
    sentence: 'It is a workbook, which is not read.',
    remedy: 'Save each sheet that is to be loaded as CSV (UTF-8).',
  },
  {
    names: ['zip', '7z', 'tar', 'tgz', 'rar'],
    sentence: 'It is an archive, which is not read.',
    remedy: 'Unpack it, and name the files in it.',
  },
  {
    names: ['bz2', 'xz', 'lz4', 'z', 'br', 'sz'],
    sentence: 'It is compressed in a way that is not read.',
    remedy: 'Decompress it, or compress it by gzip (.gz) or Zstandard (.zst) instead.',
  },
  {
    names: ['orc', 'avro', 'feather', 'arrow', 'xml', 'yaml', 'yml', 'sas7bdat', 'dta'],
    sentence: 'Its format is not read.',
    remedy: 'Convert it to CSV, Parquet or JSON Lines.',
  },
];

/** What a file's name says of its format. `fallback` is for names that say nothing. */
export function formatOfName(name: string, fallback?: SourceFile['format']): FileFormat | Refusal {
  const extensions = name.toLowerCase().split('/').at(-1)?.split('.').slice(1) ?? [];
  const compression = compressions[extensions.at(-1) ?? ''];
  const extension = extensions.at(compression === undefined ? -1 : -2) ?? '';
  const format = formats[extension] ?? fallback;
  if (format === undefined) {
    const other = OTHERS.find(({ names }) => names.includes(extension));
    return (
      other ?? {
        sentence: 'Its name does not tell its format.',
        remedy:
          'Known are .csv, .tsv, .txt, .json, .jsonl, .ndjson, .parquet and .pq; text also with .gz or .zst after it.',
      }
    );
  }
  if (format === 'parquet' && compression !== undefined) {
    return {
      sentence: 'A Parquet file that is compressed as a whole cannot be read.',
      remedy: 'Decompress it: Parquet compresses its own pages.',
    };
  }
  return { format, compression: compression ?? 'none' };
}
