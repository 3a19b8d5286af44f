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
    options: { readonly databaseUrl: string; readonly log: Log; readonly signal?: AbortSignal },
  ): AsyncIterable<RunEvent> & { readonly report: Promise<Report> };
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
  return { plan, run, startEmbedded, stopEmbedded, embeddedStatus, embeddedHome };
}
