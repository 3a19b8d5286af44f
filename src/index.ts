/** The library's door: `import { plan, run } from 'parallel-upsert'`. Re-exports only. */
export { plan, type PlanOptions } from './plan/plan-job.ts';
export { run, type RunHandle, type RunOptions } from './run/run.ts';
export { defineJob } from './job/define-job.ts';
export type { Job, LoadRequest, Settings, Strategy } from './job/schema.ts';
export type {
  FilePart,
  FilePlan,
  LoadPlan,
  Plan,
  StrategyCost,
  UnitPlan,
} from './plan/plan-types.ts';
export type { RunEvent } from './run/events.ts';
export type {
  Counts,
  FileReport,
  Foreseen,
  LoadPrediction,
  LoadReport,
  Report,
  RunStatus,
} from './run/report-types.ts';
export type { SessionSetting } from './target/session.ts';
export { EtlError, EXIT, type ErrorCode, type ErrorRecord, type ExitCode } from './errors.ts';
export { createLog, silentLog, type Log } from './log.ts';
