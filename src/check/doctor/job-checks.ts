import type { LoadPlan } from '../../plan/plan-types.ts';
import { fail, pass, type Check, warn } from './doctor-types.ts';
import type { ErrorRecord } from '../../errors.ts';

/** What the catalog says of the target that forces its loads into one order. */
export function couplingCheck(load: LoadPlan): Check {
  const name = `order on ${load.table.sqlName}`;
  const [first] = load.couplings;
  if (first === undefined) return pass(name, 'nothing ties rows of different keys together');
  const all = load.couplings.map((coupling) => coupling.sentence).join('; ');
  return warn(
    name,
    `${all}. So files are staged in parallel, and merged one after another.`,
    'Nothing has to be done. Where the order cannot matter, drop it for the load, or set deterministic to false.',
  );
}

export function jobCheck(loads: readonly LoadPlan[]): Check {
  const files = loads.flatMap((load) => load.files);
  const skipped = files.filter((file) => file.skip !== null).length;
  const what = `${counted(loads.length, 'load')} of ${counted(files.length, 'file')} can be planned`;
  return pass('job', skipped === 0 ? what : `${what}; ${counted(skipped, 'file')} loaded already`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function jobFailure(error: ErrorRecord): Check {
  const problems = (error.facts.problems ?? []).join('; ');
  const file = error.facts.file === undefined ? '' : `${error.facts.file}: `;
  return fail(
    'job',
    `${file}${error.sentence}${problems === '' ? '' : ` ${problems}`}`,
    error.remedy,
  );
}
