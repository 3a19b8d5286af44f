import { describeError, EtlError, type ErrorRecord } from '../errors.ts';

/** More problems than these help nobody; their number is said. */
const PROBLEMS_LISTED_MAX = 50;

/** Throws what was found: one problem as it is, several together in one error. */
export function throwProblems(problems: readonly ErrorRecord[], where: string): void {
  const [first] = problems;
  if (first === undefined) return;
  if (problems.length === 1) throw EtlError.fromRecord(first);
  const listed = problems.slice(0, PROBLEMS_LISTED_MAX).map(describeError);
  const more = problems.length - listed.length;
  const settings = problems.flatMap(({ facts }) => facts.settings ?? []);
  throw new EtlError(
    first.code,
    `${problems.length} problems with ${where}.`,
    'Nothing was loaded.',
    {
      problems: more > 0 ? [...listed, `and ${more} more`] : listed,
      ...(settings.length === 0 ? {} : { settings }),
    },
  );
}

/** The result of `work`, or null after it has noted its error. What is not ours is thrown on. */
export async function noting<T>(
  problems: ErrorRecord[],
  work: () => Promise<T>,
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EtlError)) throw error;
    problems.push(error.record);
    return null;
  }
}
