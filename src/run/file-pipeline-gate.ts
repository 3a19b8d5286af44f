import type { Admission, StagedFacts } from '../conflict/admission.ts';
import { present } from '../assert.ts';

/**
 * Admission with units waiting at it: after each fact, whoever may merge is let in and whoever can
 * never merge is stopped. Every method does all of its work before it returns, so no two lanes are
 * ever inside at once.
 */
export interface AdmissionGate {
  start(unit: number): StopSignals;
  /** Whether the unit, which has a window, may be copied into the table directly now. */
  direct(unit: number): boolean;
  /** `partly`: a file of the unit failed. It bars later units, then what is staged is made known. */
  staged(unit: number, facts: StagedFacts, partly: boolean): { readonly keysWanted: boolean };
  keys(unit: number, keys: Float64Array): void;
  /**
   * Resolves when the unit may merge; to false when it is revoked: to roll back what it has copied
   * directly, and be staged. Never rejects: race it against the stop signal.
   */
  admitted(unit: number): Promise<boolean>;
  unstaged(unit: number): void;
  /** `partly`: not all files of the unit; it bars later units before it makes way for them. */
  merged(unit: number, partly: boolean): void;
  failed(unit: number): void;
  /** Whether the unit need not start. */
  closed(unit: number): boolean;
  readonly stopAll: () => void;
}

/** Each unit has its own, so that no signal gathers more than a few listeners. */
export interface StopSignals {
  /** Aborted once the unit can never be admitted, or all units are stopped. */
  readonly stop: AbortSignal;
  /** Aborted only once all units are stopped. */
  readonly stopAll: AbortSignal;
}

interface Visitor {
  readonly stop: AbortController;
  readonly stopAll: AbortController;
  admitted: Entrance;
  /** Whom the unit was last said to wait for. */
  blocker: number | null;
}

interface Entrance {
  readonly opened: Promise<boolean>;
  readonly open: (admitted: boolean) => void;
}

export interface AdmissionGateOptions {
  readonly admission: Admission;
  /** The unit waits for another: told when it begins to, and when the other changes. */
  readonly onBlocked: (unit: number, blocker: number) => void;
}

export function createAdmissionGate({ admission, onBlocked }: AdmissionGateOptions): AdmissionGate {
  /** Units that were started and are not merged. */
  const visitors = new Map<number, Visitor>();
  let stopped = false;

  return {
    start(unit) {
      admission.started(unit);
      const [stop, stopAll] = [new AbortController(), new AbortController()];
      visitors.set(unit, { stop, stopAll, admitted: createEntrance(), blocker: null });
      return { stop: stop.signal, stopAll: stopAll.signal };
    },
    direct: (unit) => admission.direct(unit),
    staged(unit, facts, partly) {
      if (partly) admission.failed(unit);
      const answer = admission.staged(unit, facts);
      settle();
      return answer;
    },
    keys(unit, keys) {
      admission.keys(unit, keys);
      settle();
    },
    admitted: (unit) => visitorOf(unit).admitted.opened,
    unstaged(unit) {
      const visitor = visitorOf(unit);
      visitor.admitted = createEntrance();
      visitor.blocker = null;
      admission.unstaged(unit);
      settle();
    },
    merged(unit, partly) {
      if (partly) admission.failed(unit);
      admission.merged(unit);
      visitors.delete(unit);
      settle();
    },
    failed(unit) {
      admission.failed(unit);
      settle();
    },
    closed: (unit) => stopped || admission.barred(unit),
    stopAll() {
      stopped = true;
      for (const visitor of visitors.values()) {
        visitor.stopAll.abort();
        visitor.stop.abort();
      }
    },
  };

  function settle(): void {
    for (const unit of admission.cancelled()) visitorOf(unit).stop.abort();
    for (const unit of admission.revoked()) visitorOf(unit).admitted.open(false);
    for (const unit of admission.admit()) visitorOf(unit).admitted.open(true);
    for (const [unit, visitor] of visitors) {
      const blocker = admission.blockedBy(unit);
      if (blocker === null || blocker === visitor.blocker || visitor.stop.signal.aborted) continue;
      visitor.blocker = blocker;
      onBlocked(unit, blocker);
    }
  }

  function visitorOf(unit: number): Visitor {
    return present(visitors.get(unit), `unit ${unit} at the gate`);
  }
}

function createEntrance(): Entrance {
  let open: Entrance['open'] = () => undefined;
  const opened = new Promise<boolean>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
