import { errorRecordOf } from '../errors.ts';
import { type Binaries, type ServerBinaries, findBinaries } from './binaries.ts';
import { ensureCluster } from './cluster.ts';
import type { Layout } from './layout.ts';
import { runningPostmaster, startPostmaster, stopPostmaster } from './postmaster.ts';
import { dropServerRecord, readServerRecord, writeServerRecord } from './server-record.ts';
import type { StartRequest, WatchdogReply, WatchdogRequest } from './watchdog-protocol.ts';

/**
 * The server of one home folder, in the hands of its watchdog. Methods must not overlap. Every one
 * begins by looking at what really runs: the server may have crashed, or be the left-over of a
 * watchdog that was killed, which is then taken over.
 */
export class ServerKeeper {
  readonly #layout: Layout;
  #binaries: ServerBinaries | null = null;
  #temporary = false;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Whether the home folder goes with the server. */
  get temporary(): boolean {
    return this.#temporary;
  }

  /** Never rejects: what went wrong is the answer. */
  async serve(request: WatchdogRequest): Promise<WatchdogReply> {
    try {
      return request.kind === 'start' ? await this.#start(request) : await this.#stop(request);
    } catch (error) {
      return { kind: 'failed', error: errorRecordOf(error) };
    }
  }

  /** Nobody uses the server any more: it is stopped, unless it shall stand. */
  async letGo(): Promise<void> {
    const running = await runningPostmaster(this.#layout);
    if (running === null) return;
    const record = await readServerRecord(this.#layout);
    if (record?.pid === running.pid && record.standing) return;
    const binaries = await this.#programs(null);
    await stopPostmaster(this.#layout, binaries, this.#temporary ? 'immediate' : 'fast');
    await dropServerRecord(this.#layout);
  }

  async #start(request: StartRequest): Promise<WatchdogReply> {
    const layout = this.#layout;
    const binaries = await this.#programs(request.binaries);
    this.#temporary ||= request.temporary;
    let running = await runningPostmaster(layout);
    const startedHere = running === null;
    if (running === null) {
      // Process ids come again: what was true of an earlier server must not be read as of this one.
      await dropServerRecord(layout);
      await ensureCluster(layout, binaries);
      running = await startPostmaster(layout, binaries, request.settings);
    }
    const { pid } = running;
    const before = await readServerRecord(layout);
    const known = before?.pid === pid ? before : null;
    const version = known?.version ?? binaries.version;
    const standing = request.standing || (known?.standing ?? false);
    await writeServerRecord(layout, { pid, version, standing });
    return { kind: 'running', pid, startedHere, version };
  }

  async #stop(request: WatchdogRequest): Promise<WatchdogReply> {
    await stopPostmaster(this.#layout, await this.#programs(request.binaries), 'fast');
    await dropServerRecord(this.#layout);
    return { kind: 'stopped' };
  }

  async #programs(asked: Binaries | null): Promise<ServerBinaries> {
    this.#binaries ??= await findBinaries(this.#layout, asked);
    return this.#binaries;
  }
}
