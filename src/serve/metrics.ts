import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Report } from '../run/report-types.ts';
import type { UploadReport } from './upload.ts';

/** What Prometheus may ask; the only file that knows prom-client. */
export interface Metrics {
  request(method: string, route: string, status: number): void;
  refused(status: number): void;
  run(job: string, seconds: number, report: Report): void;
  uploadEnded(report: UploadReport): void;
  text(): Promise<string>;
  readonly contentType: string;
}

/** What is read when it is asked for. */
export interface Gauges {
  readonly jobs: readonly string[];
  readonly uploads: (job: string) => number;
  readonly spoolBytes: () => number;
  readonly connections: () => number;
}

/** From a run of some rows to one of a hundred million. */
const RUN_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];

export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'etl_requests_total',
    help: 'Requests that were answered.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const refused = new Counter({
    name: 'etl_refused_total',
    help: 'Uploads that were refused, by status: 429 is back-pressure.',
    labelNames: ['status'],
    registers,
  });
  const rows = new Counter({
    name: 'etl_rows_total',
    help: 'Rows that were read, by what became of them.',
    labelNames: ['job', 'outcome'],
    registers,
  });
  const uploads = new Counter({
    name: 'etl_uploads_total',
    help: 'Uploads that ended, by state.',
    labelNames: ['job', 'state'],
    registers,
  });
  const runSeconds = new Histogram({
    name: 'etl_run_seconds',
    help: 'Time of a run: plan, load and report of all uploads that it loads together.',
    labelNames: ['job'],
    buckets: RUN_SECONDS,
    registers,
  });
  const uploadSeconds = new Histogram({
    name: 'etl_upload_seconds',
    help: 'Time from the acceptance of an upload to its end.',
    labelNames: ['job'],
    buckets: RUN_SECONDS,
    registers,
  });
  gaugesOf(gauges, registry);
  return {
    request: (method, route, status) => requests.inc({ method, route, status }),
    refused: (status) => refused.inc({ status }),
    run: (job, seconds, report) => {
      runSeconds.observe({ job }, seconds);
      for (const { totals } of report.loads) {
        const { inserted, updated, unchanged, superseded, rejected } = totals;
        const outcomes = { inserted, updated, unchanged, superseded, rejected };
        for (const [outcome, count] of Object.entries(outcomes)) rows.inc({ job, outcome }, count);
      }
    },
    uploadEnded: ({ job, state, acceptedAt, finishedAt }) => {
      uploads.inc({ job, state });
      const ms = Date.parse(finishedAt ?? acceptedAt) - Date.parse(acceptedAt);
      uploadSeconds.observe({ job }, Math.max(0, ms) / 1000);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function gaugesOf({ jobs, uploads, spoolBytes, connections }: Gauges, registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: 'etl_queue_uploads',
    help: 'Uploads that are received, queued or loading.',
    labelNames: ['job'],
    registers,
    collect() {
      for (const job of jobs) this.set({ job }, uploads(job));
    },
  });
  new Gauge({
    name: 'etl_spool_bytes',
    help: 'Bytes of uploads in the spool.',
    registers,
    collect() {
      this.set(spoolBytes());
    },
  });
  new Gauge({
    name: 'etl_connections',
    help: 'Connections to PostgreSQL that runs have taken.',
    registers,
    collect() {
      this.set(connections());
    },
  });
}
