import { readFileSync } from 'node:fs';

/**
 * The most memory that this process has held, in bytes. Linux hands the peak of the process that
 * forked on to the one that it became, so maxRSS may be the parent's; VmHWM begins again.
 */
export function rssPeakBytes(): number {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  // In kilobytes on every platform that Node runs on.
  return process.resourceUsage().maxRSS * 1024;
}
