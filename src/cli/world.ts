import type { Environment } from '../job/database-choice.ts';

/** Where text goes: the process's own streams, or a test's. */
export interface Output extends NodeJS.WritableStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** All that a command touches besides files and databases, so that a test can pass its own. */
export interface World {
  readonly env: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly cwd: string;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
}

/** How to call this command again: through npm, which is how a checkout and npx run it, or not. */
export function commandOf(env: Environment): string {
  return (env['npm_command'] ?? '') === '' ? 'etl' : 'npx etl';
}

const WIDTH_WITHOUT_TERMINAL = 100;

export function widthOf(output: Output): number {
  return output.columns ?? WIDTH_WITHOUT_TERMINAL;
}

/** Colours only on a terminal, and never against https://no-color.org. */
export function colorOf(output: Output, env: Environment): boolean {
  return output.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** Bars need a terminal that a person looks at; everything else gets lines. */
export function progressModeOf(output: Output, env: Environment): 'bars' | 'lines' {
  return colorOf(output, env) && (env['CI'] ?? '') === '' ? 'bars' : 'lines';
}
