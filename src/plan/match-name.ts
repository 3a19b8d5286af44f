/**
 * The name that `wanted` means: the same one, else the only one that differs in case, else the only
 * one that differs in case, spaces and underscores. Null where there is none or more than one.
 */
export function matchName(wanted: string, names: readonly string[]): string | null {
  if (names.includes(wanted)) return wanted;
  return (
    onlyMatch(wanted, names, (name) => name.toLowerCase()) ??
    onlyMatch(wanted, names, (name) => name.toLowerCase().replaceAll(/[\s_]/g, ''))
  );
}

function onlyMatch(
  wanted: string,
  names: readonly string[],
  plain: (name: string) => string,
): string | null {
  const target = plain(wanted);
  const [first, second] = names.filter((name) => plain(name) === target);
  return first !== undefined && second === undefined ? first : null;
}
