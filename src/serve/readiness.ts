import { errorRecordOf, type ErrorRecord } from '../errors.ts';
import type { Settings } from '../job/schema.ts';
import { connect } from '../target/connect.ts';
import { sessionSettings } from '../target/session.ts';

export interface Database {
  readonly databaseUrl: string;
  readonly settings: Settings;
}

/**
 * Whether all databases can be reached; the error of the first that cannot. However many ask, one
 * connection is used, and an answer is good for `goodMs`.
 */
export function createReadiness(
  databases: readonly Database[],
  { now, goodMs }: { readonly now: () => number; readonly goodMs: number },
): () => Promise<ErrorRecord | null> {
  let asked: Promise<ErrorRecord | null> | null = null;
  let goodUntil = 0;
  return () => {
    if (asked !== null && now() < goodUntil) return asked;
    goodUntil = Infinity;
    asked = askAll(databases).finally(() => {
      goodUntil = now() + goodMs;
    });
    return asked;
  };
}

async function askAll(databases: readonly Database[]): Promise<ErrorRecord | null> {
  try {
    for (const { databaseUrl, settings } of databases) await ask(databaseUrl, settings);
    return null;
  } catch (error) {
    return errorRecordOf(error);
  }
}

async function ask(databaseUrl: string, settings: Settings): Promise<void> {
  const { connectTimeoutMs, idleTimeoutMs } = settings;
  const connection = await connect({
    ...{ databaseUrl, applicationName: 'etl serve', connectTimeoutMs, idleTimeoutMs },
    session: { ...sessionSettings(settings), default_transaction_read_only: 'on' },
  });
  await connection.query('select 1').finally(() => connection.end());
}
