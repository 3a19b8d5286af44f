/** The library's door: `import { plan, run } from 'parallel-upsert'`. Re-exports only. */
export { plan, type PlanOptions } from './plan/plan-job.ts';
export { run, type RunHandle, type RunOptions } from './run/run.ts';
export {
  openUpsert,
  upsert,
  type LoaderOptions,
  type UpsertLoader,
  type UpsertOptions,
  type UpsertResult,
} from './run/upsert/upsert.ts';
export type { UpsertTarget } from './run/upsert/rows-job.ts';
export type { RejectedRow } from './run/upsert/bad-row.ts';
export type { Rows } from './run/upsert/spool-rows.ts';
export { defineJob } from './job/define-job.ts';
export {
  defineTransform,
  type Transform,
  type TransformContext,
  type TransformedRow,
  type TransformRow,
  type TransformValue,
} from './source/transform/define-transform.ts';
export type { Job, LoadRequest, Settings, Strategy } from './job/schema.ts';
export type {
  FilePart,
  FilePlan,
  LoadPlan,
  Plan,
  StrategyCost,
  TargetPlan,
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
  TargetReport,
} from './run/report-types.ts';
export type { SessionSetting } from './target/session.ts';
export { EtlError, EXIT, type ErrorCode, type ErrorRecord, type ExitCode } from './errors.ts';
export { createLog, silentLog, type Log } from './log.ts';
