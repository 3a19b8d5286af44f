import pino from 'pino';

/** The only room that knows pino. Logs go to stderr; results and reports go to stdout. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export function createLog(level: 'debug' | 'info' | 'warn' | 'error' | 'silent'): Log {
  const stderr = pino.destination({ dest: 2, sync: true });
  return pino({ level, base: null }, { write: (line: string) => stderr.write(escaped(line)) });
}

/**
 * JSON leaves some characters as they are that a terminal obeys: DEL, the C1 controls, and those
 * that turn the direction of writing. They may stand in a file's name. As escapes they are the same
 * JSON.
 */
function escaped(line: string): string {
  return line.replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
