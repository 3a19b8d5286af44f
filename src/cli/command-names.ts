/** What may follow `etl`. */
export const COMMANDS = [
  'run',
  'plan',
  'history',
  'verify',
  'doctor',
  'benchmark',
  'serve',
  'db',
] as const;
