import { formatBytes, formatCount, NOTHING } from '../../src/report/format.ts';

const twoDecimals = new Intl.NumberFormat('en-US', {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

export { formatCount };

/** `0.85`; null is `–`. */
export function formatRatio(value: number | null): string {
  return value === null || !Number.isFinite(value) ? NOTHING : twoDecimals.format(value);
}

/** Seconds with two decimals, of milliseconds; null is `–`. */
export function formatMs(milliseconds: number | null): string {
  return formatRatio(milliseconds === null ? null : milliseconds / 1_000);
}

/** `38.1 MB`; null is `–`. */
export function formatSize(bytes: number | null): string {
  return bytes === null ? NOTHING : formatBytes(bytes);
}
