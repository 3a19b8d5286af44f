import { groupDigits } from '../group-digits.ts';

/** How numbers are written for people: decimal points, thousands separators, decimal byte units. */

/** What stands where there is no value: nothing known, or nothing to attribute. */
export const NOTHING = '–';

/** `500,000`; null is `–`. */
export function formatCount(count: number | null): string {
  return count === null || !Number.isFinite(count) ? NOTHING : groupDigits(count);
}

/** `1 file`, `4 files`, `1,200 rows`: a count with its noun. */
export function formatCounted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `812 bytes`, `38.1 MB`: units of 1000, as disks and networks are sold. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return formatCounted(Math.round(bytes), 'byte');
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes / 1_000;
  let unit = 0;
  // 999.95 would be written as 1,000.0, so the next unit begins just below it.
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${groupDigits(value, 1)} ${units[unit] ?? ''}`;
}

/** `40 ms`, `3.4 s`, `2 min 05 s`, `1 h 03 min`. */
export function formatDuration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return NOTHING;
  if (milliseconds < 99.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${groupDigits(milliseconds / 1_000, 1)} s`;
  const seconds = Math.round(milliseconds / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${formatCount(Math.floor(minutes / 60))} h ${twoDigits(minutes % 60)} min`;
}

/** `3.4`, for a column that is headed "seconds"; null is `–`. */
export function formatSeconds(milliseconds: number | null): string {
  return milliseconds === null ? NOTHING : groupDigits(milliseconds / 1_000, 1);
}

/** `0.4 %`, `25 %`, `< 0.1 %`, of a share from 0 to 1. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent === 0) return '0 %';
  if (percent < 0.05) return '< 0.1 %';
  if (percent < 9.95) return `${groupDigits(percent, 1)} %`;
  return `${groupDigits(percent)} %`;
}

/** Units per second; null where no time has passed or the count is not known. */
export function perSecond(count: number | null, milliseconds: number | null): number | null {
  if (count === null || milliseconds === null || milliseconds <= 0) return null;
  return (count * 1_000) / milliseconds;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
