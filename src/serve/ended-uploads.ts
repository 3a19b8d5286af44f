import { LIMITS } from '../limits.ts';
import type { IdempotencyKey } from './idempotency.ts';
import type { UploadReport } from './upload.ts';

/** How an upload ended, and the key that it came with. */
export interface EndedUpload {
  readonly report: UploadReport;
  readonly idempotency?: IdempotencyKey;
}

/** The last uploads that have ended, each as the line of the journal that says how. */
export interface EndedUploads {
  /** Returns those that are forgotten for it, the oldest first. */
  add(one: EndedUpload): readonly EndedUpload[];
  find(id: string): UploadReport | null;
  /** In the order in which they were added. */
  lines(): IterableIterator<string>;
  all(): IterableIterator<EndedUpload>;
}

export interface EndedLimits {
  readonly uploadsMax: number;
  readonly charactersMax: number;
}

/**
 * They are kept as text: as objects, each of a shape of its own to V8, 10,000 of one file each took 14.5 MB
 * of the heap, and so they take 8. A form may have 100 files, so that their characters are limited, too.
 */
export function createEndedUploads({
  uploadsMax,
  charactersMax,
}: EndedLimits = KEPT): EndedUploads {
  const lines = new Map<string, string>();
  let characters = 0;
  const forget = (id: string): string => {
    const line = lines.get(id) ?? '';
    lines.delete(id);
    characters -= line.length;
    return line;
  };
  return {
    add: (one) => {
      const { id } = one.report;
      const line = endedLine(one);
      forget(id);
      lines.set(id, line);
      characters += line.length;
      const forgotten: EndedUpload[] = [];
      for (const oldest of lines.keys()) {
        if (lines.size <= uploadsMax && characters <= charactersMax) break;
        // Whoever waits for the newest is still to be told of it.
        if (oldest === id) break;
        forgotten.push(endedOf(forget(oldest)));
      }
      return forgotten;
    },
    find: (id) => {
      const line = lines.get(id);
      return line === undefined ? null : endedOf(line).report;
    },
    lines: () => lines.values(),
    *all() {
      for (const line of lines.values()) yield endedOf(line);
    },
  };
}

const KEPT: EndedLimits = {
  uploadsMax: LIMITS.serveUploadsKeptMax,
  charactersMax: LIMITS.serveReportCharactersMax,
};

/** The line of the journal, without its end; in one piece, where JSON.stringify leaves some. */
function endedLine(one: EndedUpload): string {
  return Buffer.from(JSON.stringify({ kind: 'ended', ...one })).toString();
}

function endedOf(line: string): EndedUpload {
  const { report, idempotency } = JSON.parse(line) as EndedUpload;
  return { report, ...(idempotency === undefined ? {} : { idempotency }) };
}
