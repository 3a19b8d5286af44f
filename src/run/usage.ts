import type { LoadReport, Report } from './report-types.ts';
import { rssPeakBytes } from './rss-peak.ts';

/**
 * What a run uses, measured from now on: of the whole process, its threads included. Without
 * `performanceMonitoring` its memory and processor time are reported as 0.
 */
export interface Usage {
  /** Connections that were open at once. */
  connections(count: number): void;
  end(loads: readonly LoadReport[]): Pick<Report, 'resources' | 'throughput'>;
}

export function createUsage(monitored: boolean): Usage {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  let connectionsPeak = 1;
  return {
    connections: (count) => {
      connectionsPeak = Math.max(connectionsPeak, count);
    },
    end: (loads) => {
      const used = process.cpuUsage(cpu);
      const seconds = Math.max(0.001, (performance.now() - startedAt) / 1000);
      const files = loads
        .flatMap(({ files: listed, unlisted = [] }) => [...listed, ...unlisted])
        .filter(({ status }) => status === 'loaded');
      const rows = loads.reduce((sum, load) => sum + load.totals.rowsRead, 0);
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      return {
        resources: {
          rssPeakBytes: monitored ? rssPeakBytes() : 0,
          cpuUserMs: monitored ? Math.round(used.user / 1000) : 0,
          cpuSystemMs: monitored ? Math.round(used.system / 1000) : 0,
          connectionsPeak,
        },
        throughput: {
          rowsPerSecond: Math.round(rows / seconds),
          bytesPerSecond: Math.round(bytes / seconds),
        },
      };
    },
  };
}
