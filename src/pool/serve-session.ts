import type { MessagePort } from 'node:worker_threads';
import { EtlError, errorRecordOf } from '../errors.ts';
import { createDirectShare } from '../load/direct-share.ts';
import { createFreshCopy } from '../load/fresh-copy.ts';
import { createKeyScanWork, type ScannedUnit } from '../load/key-scan.ts';
import { createOwnerWork } from '../load/owner-work.ts';
import { createQuarantineWork } from '../load/quarantine/quarantine-work.ts';
import { createSharedStaging } from '../load/shared-staging.ts';
import { createSplitScan } from '../load/split-scan.ts';
import { createUnchangedWork } from '../load/unchanged/find-unchanged.ts';
import type { UnitHooks } from '../load/unit-task.ts';
import { createUnitTurn } from '../load/unit-turn.ts';
import { createUnitWork } from '../load/unit-work.ts';
import type { Connection } from '../target/connect.ts';
import type { Reply, Request, WorkOrder } from './messages.ts';
import { createNewsBatch } from './news-batch.ts';

/** The methods of a session, each without arguments; `close`, where there is one, is the last. */
type Methods = Readonly<Record<string, (() => Promise<unknown>) | undefined>>;

/**
 * Serves one session over its port, in a worker thread or in-process; ends with `close`, and not
 * before the calls that are under way have ended: the next session gets the same connection.
 */
export async function serveSession(
  order: WorkOrder,
  port: MessagePort,
  connect: () => Promise<{ connection: Connection; fresh: boolean }>,
): Promise<void> {
  const abort = new AbortController();
  const batch = createNewsBatch((news) => port.postMessage({ kind: 'news', news } satisfies Reply));
  const tell = (reply: Reply, transfer: ArrayBuffer[] = []): void => {
    batch.flush();
    port.postMessage(reply, transfer);
  };
  /** What an abort cuts, so that no statement is waited for. */
  let connection: Connection | null = null;
  abort.signal.addEventListener('abort', () => connection?.destroy());
  const acquire = async (): Promise<Connection> => {
    const acquired = await connect();
    if (acquired.fresh) {
      tell({ kind: 'connected', pid: acquired.connection.pid });
    }
    // An abort that came meanwhile had no connection to cut.
    abort.signal.throwIfAborted();
    connection = acquired.connection;
    return connection;
  };
  const methods = methodsOf(order, acquire, {
    signal: abort.signal,
    news: (news) => batch.add(news),
    now: () => performance.now(),
  });
  const underWay = new Map<number, Promise<void>>();
  let closed = false;
  await new Promise<void>((resolve) => {
    port.on('close', () => {
      if (closed) return;
      // The other side has given the session up: its connection is cut, and with it goes what it had open.
      abort.abort(abortedError());
      void Promise.all(underWay.values()).then(() => resolve());
    });
    port.on('message', (request: Request) => {
      if (request.kind === 'abort') {
        abort.abort(abortedError());
        return;
      }
      if (request.kind === 'check') {
        tell({ kind: 'checked', calls: request.calls, underWay: [...underWay.keys()] });
        return;
      }
      const isClose = request.method === 'close';
      const before = isClose ? Promise.all(underWay.values()) : Promise.resolve();
      const answered = before.then(() => {
        // By the time of a late abort the next session may have the connection.
        if (isClose) connection = null;
        return answer(methods, request, tell, abort.signal);
      });
      underWay.set(request.id, answered);
      void answered.then(() => {
        underWay.delete(request.id);
        if (!isClose) return;
        closed = true;
        resolve();
      });
    });
  });
}

function abortedError(): EtlError {
  return new EtlError('ETL_ABORTED', 'Interrupted.', 'Run the same command to resume.');
}

function methodsOf(
  order: WorkOrder,
  acquire: () => Promise<Connection>,
  hooks: UnitHooks,
): Methods {
  switch (order.kind) {
    case 'unit': {
      const turn = createUnitTurn(hooks.signal);
      const unit = createUnitWork(acquire, order.task, { ...hooks, turn: turn.wait });
      return { ...unit, turn: turn.open };
    }
    case 'fresh-copy':
      return { ...createFreshCopy(acquire, order, hooks) };
    case 'direct-share':
      return { ...createDirectShare(acquire, order.task, hooks) };
    case 'split-scan':
      return { ...createSplitScan(order.task, order.cuts, hooks) };
    case 'key-scan':
      return { ...createKeyScanWork(order.task, order.seed, hooks) };
    case 'find-unchanged':
      return { ...createUnchangedWork(acquire, order.task, order.plan, order.seed, hooks) };
    case 'shared-staging': {
      const turn = createUnitTurn(hooks.signal);
      const own = { ...hooks, turn: turn.wait };
      return { ...createSharedStaging(acquire, order.task, order.sqlName, own), turn: turn.open };
    }
    case 'owner':
      return { ...createOwnerWork(acquire, order.task, hooks) };
    case 'quarantine':
      return { ...createQuarantineWork(acquire, order.task, hooks) };
  }
}

async function answer(
  methods: Methods,
  request: { readonly id: number; readonly method: string },
  tell: (reply: Reply, transfer?: ArrayBuffer[]) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    const value = await methods[request.method]?.();
    tell({ kind: 'answer', id: request.id, value }, buffersOf(value));
  } catch (error) {
    // After an abort every error is an echo of the cut connection.
    const told: unknown = signal.aborted ? signal.reason : error;
    tell({ kind: 'failure', id: request.id, error: errorRecordOf(told) });
  }
}

/** What is handed over, and not copied: key hashes of staged rows, or keys of scanned files. */
function buffersOf(value: unknown): ArrayBuffer[] {
  if (value instanceof Float64Array) return [value.buffer as ArrayBuffer];
  const files = (value as Partial<ScannedUnit> | null | undefined)?.files ?? [];
  return files.flatMap(({ lanes }) => (lanes == null ? [] : [lanes.buffer as ArrayBuffer]));
}
