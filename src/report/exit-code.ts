import { EXIT, exitCodeOf } from '../errors.ts';
import type { ExitCode } from '../errors.ts';
import type { Report } from '../run/report-types.ts';

/** The exit code of a run that came to a report. A run that failed as a whole says why itself. */
export function exitCodeOfReport(report: Report): ExitCode {
  switch (report.status) {
    case 'loaded':
      return EXIT.ok;
    case 'rejected-rows':
      return EXIT.rejected;
    case 'interrupted':
      return EXIT.interrupted;
    case 'failed':
      return report.error === null ? EXIT.failed : exitCodeOf(report.error);
  }
}
