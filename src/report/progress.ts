import type { Plan } from '../plan/plan-types.ts';
import type { RunEvent } from '../run/events.ts';
import { pageFor } from './page.ts';
import type { Page } from './page.ts';
import { createBars } from './progress-bars.ts';
import type { Terminal } from './progress-bars.ts';
import { eventLine, lineWriter } from './progress-lines.ts';
import type { EventLine } from './progress-lines.ts';
import { startProgress, trackProgress } from './progress-state.ts';

export interface ProgressOptions {
  /** Where it is shown: a terminal for `bars`, anything for `lines`. */
  readonly stream: Terminal;
  readonly mode: 'bars' | 'lines' | 'none';
  /** Milliseconds, from any origin. */
  readonly now: () => number;
  readonly color: boolean;
  /** Columns, where the stream does not know its own. */
  readonly width: number;
}

export interface Progress {
  on(event: RunEvent): void;
  /** To be called however the run ends: bars leave the screen, their timer stops. May be repeated. */
  stop(): void;
}

/** Shows a run while it goes on. */
export function createProgress(plan: Plan, options: ProgressOptions): Progress {
  switch (options.mode) {
    case 'bars':
      return progressBars(plan, options);
    case 'lines':
      return progressLines(plan, options);
    case 'none':
      return { on: () => undefined, stop: () => undefined };
  }
}

function progressBars(plan: Plan, options: ProgressOptions): Progress {
  const state = startProgress(plan, options.now());
  const bars = createBars(state, options.stream, options);
  const page = pageFor(options);
  let stopped = false;
  const stop = (): void => {
    if (!stopped) bars.stop();
    stopped = true;
  };
  return {
    on: (event) => {
      if (stopped) return;
      trackProgress(state, event, options.now());
      bars.refresh();
      const line = eventLine(state, event);
      // What went as it should is in the bars, and afterwards in the summary.
      if (line !== null && line.tone !== 'plain') bars.log(line.text, paintOf(line, page));
      if (event.kind === 'run-finished') stop();
    },
    stop,
  };
}

function progressLines(plan: Plan, options: ProgressOptions): Progress {
  const state = startProgress(plan, options.now());
  const page = pageFor(options);
  const write = lineWriter(state, (line) => {
    options.stream.write(`${paintOf(line, page)(line.text)}\n`);
  });
  return {
    on: (event) => {
      trackProgress(state, event, options.now());
      write(event, options.now());
    },
    stop: () => undefined,
  };
}

function paintOf(line: EventLine, { ink }: Page): (text: string) => string {
  switch (line.tone) {
    case 'plain':
      return String;
    case 'warning':
      return ink.yellow;
    case 'failure':
      return ink.red;
  }
}
