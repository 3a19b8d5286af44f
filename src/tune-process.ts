import { setFlagsFromString } from 'node:v8';

/**
 * Suits V8 to a process that does nothing but load: of the process, so it is the command's to say, and not
 * the library's. To be called first.
 *
 * V8 lets the heap grow to a multiple of what was live when it last looked. By a quarter, 100,000 documents
 * peak at 248 instead of 285 MiB, and 200,000 records of JSON at 194 instead of 247, with the same CPU; 1.5
 * million rows of Parquet take 1.04 s of it instead of 1.00. By half it was 256 and 201 MiB.
 *
 * V8 optimizes what has run for so many bytes of bytecode, on threads of its own. A load lives in few loops
 * that run for millions of rows, and they are found as well by four times as many; what is called once a page
 * or a file is not worth it. Client CPU as the least of four or five runs, with 67,584 as it would be, 150,000,
 * 300,000 and 600,000: 1.01, 0.98, 0.93 and 0.89 s of 1.5 million rows of Parquet, 0.58, not tried, 0.58 and
 * 0.62 of the same as CSV. Of the V8 of Node 20 only: later ones have another compiler in between, and other
 * budgets.
 */
export function tuneProcess(v8: string = process.versions.v8): readonly string[] {
  const flags = [
    '--heap-growing-percent=25',
    ...(v8.startsWith('11.') ? ['--interrupt-budget=300000'] : []),
  ];
  for (const flag of flags) setFlagsFromString(flag);
  return flags;
}
