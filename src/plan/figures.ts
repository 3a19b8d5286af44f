import { groupDigits } from '../group-digits.ts';

/** Figures as the sentences of a plan say them. */

/** `1,234`, or `3.0 million`. */
export function countText(count: number): string {
  const rounded = Math.round(count);
  if (rounded < 1_000_000) return groupDigits(rounded);
  return `${(rounded / 1_000_000).toFixed(1)} million`;
}

/** `0.4 %`, `12 %`: rounded up, since bounds are spoken of. */
export function shareText(share: number): string {
  const percent = share * 100;
  const digits = percent >= 10 || percent === 0 ? 0 : percent >= 1 ? 1 : -exponentOf(percent);
  const scale = 10 ** Math.min(digits, 9);
  // A figure like 0.30000000000000004 is 0.3 and not 0.4.
  return `${Math.ceil(percent * scale - 1e-9) / scale} %`;
}

export function secondsText(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0.1, seconds).toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5_400
    ? `${Math.round(seconds / 60)} min`
    : `${(seconds / 3_600).toFixed(1)} hours`;
}

function exponentOf(value: number): number {
  return Math.floor(Math.log10(value));
}
