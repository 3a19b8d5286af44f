import type { WrittenReport } from '../run/report-types.ts';

/** The report as `--report` and `--json` write it. Its schema is config/report.schema.json. */
export function reportJson(report: WrittenReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
