/** A job, and the tables that it writes to. */
export interface Writer {
  readonly name: string;
  readonly tables: readonly string[];
}

/**
 * The jobs in groups of those that write to a common table, directly or over others: each group is
 * loaded by one run at a time. A table that is spelled in two ways is taken for two; then the lock that
 * each run holds on its tables keeps the two apart, and one of them is tried again.
 */
export function groupByTables<W extends Writer>(writers: readonly W[]): W[][] {
  const groups: { jobs: W[]; tables: Set<string> }[] = [];
  for (const writer of writers) {
    const joined = groups.filter(({ tables }) => writer.tables.some((table) => tables.has(table)));
    const merged = {
      jobs: [...joined.flatMap(({ jobs }) => jobs), writer],
      tables: new Set([...joined.flatMap(({ tables }) => [...tables]), ...writer.tables]),
    };
    for (const group of joined) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  return groups.map(({ jobs }) => jobs);
}
