import type { OverlapEstimate, OverlapPair } from './plan-types.ts';
import { countText, shareText } from './figures.ts';

interface Findings {
  readonly sampledKeys: number;
  readonly totalRows: number;
  readonly missedShareMax: number;
  readonly multiplicity: number;
  readonly pairs: readonly OverlapPair[];
  /** Pairs of files that there are, sharing keys or not. */
  readonly filePairs: number;
  /** Whether every row was sampled. */
  readonly complete: boolean;
  readonly names: ReadonlyMap<number, string>;
}

/** One sentence on what the sample found and what it may have missed. */
export function overlapSentence(findings: Findings): string {
  const { pairs, filePairs, multiplicity } = findings;
  const inside = multiplicity < 1.005 ? '' : `; about ${multiplicity.toFixed(2)} rows per key`;
  if (filePairs === 0) return `one file, so no other to share keys with${inside}`;
  if (pairs.length === 0) return `no shared key among ${scope(findings)}${inside}`;
  const [most] = pairs;
  const example =
    most === undefined
      ? ''
      : `, most of all ${nameOf(findings, most.later)}: about ${shareText(most.share)} of its keys are in ${nameOf(findings, most.earlier)}`;
  const rest = pairs.length === filePairs ? '' : restText(findings);
  return `${countText(pairs.length)} of ${countText(filePairs)} ${filePairs === 1 ? 'pair' : 'pairs'} of files share keys${example}${inside}${rest}`;
}

/** Where nothing is sampled: why. */
export function notSampled(why: string, totalRows: number): OverlapEstimate {
  return {
    pairs: [],
    sampledKeys: 0,
    totalRows,
    missedShareMax: 1,
    sentence: why,
    multiplicity: 1,
    sampled: false,
  };
}

function scope({ sampledKeys, totalRows, missedShareMax, complete }: Findings): string {
  if (complete) return `all ${countText(totalRows)} keys`;
  const sampled = `${countText(sampledKeys)} sampled of ${countText(totalRows)}`;
  return missedShareMax >= 1
    ? `${sampled}, too few to exclude any overlap`
    : `${sampled}: less than ${shareText(missedShareMax)} of a file's keys with 95 % confidence`;
}

function restText({ missedShareMax, complete }: Findings): string {
  if (complete) return '; the other pairs share none';
  if (missedShareMax >= 1) return '; of the other pairs too little was sampled to say';
  return `; the other pairs less than ${shareText(missedShareMax)} with 95 % confidence`;
}

function nameOf({ names }: Findings, file: number): string {
  return names.get(file) ?? `file ${file + 1}`;
}
