import { setFlagsFromString } from 'node:v8';

/**
 * Suits V8 to a process that does nothing but load: of the process, so it is the command's to say, and not
 * the library's. To be called first.
 *
 * V8 optimizes what has run for so many bytes of bytecode, on threads of its own. A load lives in few loops
 * that run for millions of rows, and they are found as well by four times as many; what is called once a
 * page or a file is not worth it. Client CPU as the least of four or five runs, with 67,584 as it would be,
 * 150,000, 300,000 and 600,000: 1.01, 0.98, 0.93 and 0.89 s of 1.5 million rows of Parquet, 0.58, not
 * tried, 0.58 and 0.62 of the same as CSV. Of the V8 of Node 20 only: later ones have another compiler in
 * between, and other budgets.
 *
 * V8 forgets the bytecode of what has not run for a while. Of a long load that would be all that it began with,
 * and code-cache.ts would have nothing of it to keep.
 *
 * Not set: --heap-growing-percent, by which the heap may grow beyond what was live when V8 last looked. By a
 * quarter, 100,000 documents peak at 208 to 229 instead of 251 MB and 200,000 records of JSON at 194 instead
 * of 247 MiB; but the documents take 9.0, 9.4 and 8.2 s of CPU instead of 8.2, 8.7 and 7.4, and 1.5 million
 * rows of Parquet 1.04 s instead of 1.00. By a half, the documents peak at 217 MB with the same CPU, but three
 * million rows of Parquet take 1.59 s instead of 1.42 (medians of five in turn).
 */
export function tuneProcess(v8: string = process.versions.v8): readonly string[] {
  const flags = ['--no-flush-bytecode'];
  if (v8.startsWith('11.')) flags.push('--interrupt-budget=300000');
  for (const flag of flags) setFlagsFromString(flag);
  return flags;
}
