import { chooseDatabase } from '../job/database-choice.ts';
import type { Job } from '../job/schema.ts';
import { safeText } from '../report/safe-text.ts';
import type { Engine } from './engine.ts';
import type { World } from './world.ts';

export interface OpenDatabase {
  readonly url: string;
  readonly embedded: boolean;
  /** One sentence on a choice that the user did not spell out; null where they did. */
  readonly notice: string | null;
  /** Ends the use of an embedded server. Never rejects. */
  release(): Promise<void>;
}

/** The database of a job: the one that it names, the one of PG… variables, else the embedded one. */
export async function openDatabase(job: Job, world: World, engine: Engine): Promise<OpenDatabase> {
  const choice = chooseDatabase(job, world.env);
  switch (choice.kind) {
    case 'url':
      return { url: choice.url, embedded: false, notice: null, release: async () => undefined };
    case 'variables':
      return {
        url: choice.url,
        embedded: false,
        notice: `The database is that of ${choice.names.join(', ')}.`,
        release: async () => undefined,
      };
    case 'embedded': {
      const home = engine.embeddedHome(world.env);
      const server = await engine.startEmbedded({ home, mode: 'attached', signal: world.signal });
      return {
        url: server.url,
        embedded: true,
        notice: `No database is named, so the embedded PostgreSQL ${server.version} in ${safeText(home)} serves.`,
        release: () => server.release().catch(() => undefined),
      };
    }
  }
}
