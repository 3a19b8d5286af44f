import { errorRecordOf, EtlError } from '../errors.ts';
import { remedy, setting } from '../remedy.ts';
import { LIMITS } from '../limits.ts';
import { lockTable } from '../target/run-record.ts';
import type { RunContext } from './run-context.ts';

/**
 * The lock on a table, at once or within `settings.wait` seconds. It is asked for again and again,
 * since a statement that waits in the server would hear of an interrupt only when its connection is cut.
 */
export async function holdTable(
  context: RunContext,
  table: { readonly oid: number; readonly sqlName: string },
  index: number,
): Promise<{ readonly waited: boolean }> {
  const { coordinator, plan, runId, signal, parts, onEvent } = context;
  const { wait, ledgerSchema } = plan.settings;
  const until = performance.now() + wait * 1000;
  let told = '';
  for (;;) {
    try {
      await lockTable(coordinator, ledgerSchema, runId, table);
      return { waited: told !== '' };
    } catch (error) {
      const { code, sentence } = errorRecordOf(error);
      if (code !== 'ETL_LOCKED') throw error;
      if (performance.now() >= until) throw wait === 0 ? error : stillLocked(error, wait);
      if (sentence !== told) {
        const notice = `${sentence} Waiting for it, up to ${wait} s.`;
        onEvent({ kind: 'notice', load: index, sentence: notice });
      }
      told = sentence;
    }
    await parts.sleep(LIMITS.waitLookMs, signal).catch(() => undefined);
    if (signal.aborted) throw interrupted();
  }
}

function stillLocked(error: unknown, wait: number): EtlError {
  const { sentence, facts } = errorRecordOf(error);
  const waited = `${sentence.replace(/\.$/, '')}, and was so for ${wait} s.`;
  const longer = remedy`Wait longer (${setting('settings.wait')}), or stop the other run.`;
  return new EtlError('ETL_LOCKED', waited, longer, facts);
}

function interrupted(): EtlError {
  return new EtlError(
    'ETL_ABORTED',
    'The run was interrupted while it waited for another.',
    'Run the same command again.',
  );
}
