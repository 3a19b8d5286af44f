import type { DoctorOptions } from '../check/doctor/doctor.ts';
import type { DoctorReport } from '../check/doctor/doctor-types.ts';
import type { History, HistoryRequest } from '../check/history.ts';
import type { Pruned, PruneRequest } from '../check/prune.ts';
import type { VerifyOptions } from '../check/verify/verify.ts';
import type { VerifyReport } from '../check/verify/verify-types.ts';
import type { EmbeddedServer, EmbeddedStatus } from '../embedded/embedded.ts';
import type { Environment } from '../job/database-choice.ts';
import type { Job } from '../job/schema.ts';
import type { Log } from '../log.ts';
import type { Plan } from '../plan/plan-types.ts';
import type { RunEvent } from '../run/events.ts';
import type { Report } from '../run/report-types.ts';

/**
 * What the commands ask of the engine, and no more. It is passed in, so that a command can be
 * tried without loading anything.
 */
export interface Engine {
  plan(
    job: Job,
    options: {
      readonly databaseUrl: string;
      readonly embedded: boolean;
      readonly force: boolean;
      readonly cwd: string;
      readonly log: Log;
      readonly signal?: AbortSignal;
    },
  ): Promise<Plan>;
  run(
    plan: Plan,
    options: {
      readonly databaseUrl: string;
      readonly log: Log;
      readonly signal?: AbortSignal;
      readonly retryRejects?: boolean;
    },
  ): AsyncIterable<RunEvent> & { readonly report: Promise<Report> };
  history(request: HistoryRequest): Promise<History>;
  prune(request: PruneRequest): Promise<Pruned>;
  verify(job: Job, options: VerifyOptions): Promise<VerifyReport>;
  doctor(job: Job, options: DoctorOptions): Promise<DoctorReport>;
  startEmbedded(options: {
    readonly home: string;
    readonly mode: 'attached' | 'standing';
    readonly signal?: AbortSignal;
  }): Promise<EmbeddedServer>;
  stopEmbedded(home: string): Promise<boolean>;
  embeddedStatus(home: string): Promise<EmbeddedStatus>;
  embeddedHome(env: Environment): string;
}

/** The engine is imported when a command needs it, so that --help and refusals answer at once. */
export async function loadEngine(): Promise<Engine> {
  const [{ plan, run }, { startEmbedded, stopEmbedded, embeddedStatus }, { embeddedHome }] =
    await Promise.all([
      import('../index.ts'),
      import('../embedded/embedded.ts'),
      import('../embedded/layout.ts'),
    ]);
  return {
    plan,
    run,
    history: async (request) => (await import('../check/history.ts')).history(request),
    prune: async (request) => (await import('../check/prune.ts')).prune(request),
    verify: async (job, options) =>
      (await import('../check/verify/verify.ts')).verify(job, options),
    doctor: async (job, options) =>
      (await import('../check/doctor/doctor.ts')).doctor(job, options),
    startEmbedded,
    stopEmbedded,
    embeddedStatus,
    embeddedHome,
  };
}
