/**
 * What the processes of this package run once their door has begun them, each loaded when it is asked for:
 * the script of a build; see script.ts.
 */
export const commands = () => import('../../src/cli/etl.ts');
export const measuredRun = () => import('../../benchmarks/measured-run.ts');
