/** Numbers of records, `[from, to)`, ascending and apart from each other. */
export type RecordRange = readonly [from: number, to: number];

export interface RecordRanges {
  /** Numbers come in ascending order. */
  add(record: number): void;
  /** As PostgreSQL spells an int8multirange. */
  text(): string;
}

/** Of a million bad rows that stand together one range is kept, of scattered ones a range each. */
export function createRecordRanges(): RecordRanges {
  const ranges: [number, number][] = [];
  return {
    add: (record) => {
      const last = ranges.at(-1);
      if (last !== undefined && last[1] === record) last[1] = record + 1;
      else if (last === undefined || record > last[1]) ranges.push([record, record + 1]);
    },
    text: () => rangesText(ranges),
  };
}

export function rangesText(ranges: readonly RecordRange[]): string {
  return `{${ranges.map(([from, to]) => `[${from},${to})`).join(',')}}`;
}

export function parseRanges(text: string): RecordRange[] {
  return Array.from(text.matchAll(/\[(\d+),(\d+)\)/g), ([, from, to]): RecordRange => [
    Number(from),
    Number(to),
  ]);
}

export function holdsRecord(ranges: readonly RecordRange[], record: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle];
    if (range === undefined || record < range[0]) high = middle;
    else if (record >= range[1]) low = middle + 1;
    else return true;
  }
  return false;
}

export function countRecords(ranges: readonly RecordRange[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}
