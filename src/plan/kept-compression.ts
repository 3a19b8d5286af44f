import type { LoadRequest } from '../job/schema.ts';
import { LARGE_ROW_BYTES, type KeptAs } from '../target/compressions.ts';
import { methodOf, type Asked } from './compression.ts';
import { matchName } from './match-name.ts';
import type { PlanContext } from './plan-context.ts';
import type { FilePlan } from './plan-types.ts';
import { identifier } from './reserved-words.ts';
import type { Target } from './target-table.ts';

/**
 * Says where a table that exists keeps large values otherwise than the job asks, which only the table's
 * owner can change, or where it keeps large contents of documents by pglz: of a page of 20 kB that is five
 * times the server's CPU of LZ4 (examples/data-lake). The server is asked only where one of both may be.
 */
export async function compressionNotices(
  { compression }: Pick<LoadRequest, 'compression'>,
  { existing }: Pick<Target, 'existing'>,
  files: readonly FilePlan[],
  { catalog }: { readonly catalog: Pick<PlanContext['catalog'], Asking> },
): Promise<string[]> {
  const toLoad = files.filter(({ skip }) => skip === null);
  if (existing === null || toLoad.length === 0) return [];
  const names = existing.columns.map(({ name }) => name);
  const wanted = wantedIn(compression, names, toLoad);
  if (wanted.size === 0) return [];
  const kept = await catalog.keptCompressions(existing.oid);
  const hasLz4 = (await catalog.compressions()).includes('lz4');
  const notices: string[] = [];
  for (const [column, asked] of wanted) {
    const as = kept.get(column);
    if (as === undefined) continue;
    const wish = betterThan(as, asked, hasLz4);
    if (wish === null) continue;
    const why =
      asked === null
        ? 'LZ4 takes the server a fifth of the CPU'
        : `compression asks for ${asked}, which holds for tables that are created`;
    const alter = `alter table ${existing.sqlName} ${alterations(identifier(column), as, wish)}`;
    notices.push(
      `${existing.sqlName} keeps large values of ${column} ${WORDS[as]}; ${why}. For those that come from now on: ${alter};`,
    );
  }
  return notices;
}

type Asking = 'compressions' | 'keptCompressions';

const WORDS: Readonly<Record<KeptAs, string>> = {
  none: 'as they are',
  pglz: 'by pglz',
  lz4: 'by LZ4',
};

/** What is asked for a column; null where documents bring large contents and nothing is asked. */
function wantedIn(
  compression: LoadRequest['compression'],
  columns: readonly string[],
  files: readonly FilePlan[],
): ReadonlyMap<string, Asked | null> {
  const wanted = new Map<string, Asked | null>();
  for (const name of largeContents(files)) wanted.set(name, null);
  for (const [name, asked] of Object.entries(compression)) {
    const column = matchName(name, columns);
    if (column !== null) wanted.set(column, asked);
  }
  return wanted;
}

/** How they are to be kept instead; null where they may stay as they are, or must. */
function betterThan(kept: KeptAs, asked: Asked | null, hasLz4: boolean): KeptAs | null {
  // Whoever keeps contents as they are had a reason, and nobody asks.
  if (asked === null) return kept === 'pglz' && hasLz4 ? 'lz4' : null;
  const wish = methodOf(asked, hasLz4);
  return wish === kept || (wish === 'lz4' && !hasLz4) ? null : wish;
}

function largeContents(files: readonly FilePlan[]): string[] {
  const [first] = files;
  if (first?.description.kind !== 'document') return [];
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes < LARGE_ROW_BYTES * files.length) return [];
  const { columns } = first.description;
  return first.targets.filter(
    (name, index): name is string => name !== null && columns[index]?.source.kind === 'content',
  );
}

function alterations(column: string, kept: KeptAs, wish: KeptAs): string {
  const alter = `alter column ${column} set`;
  if (wish === 'none') return `${alter} storage external`;
  return `${kept === 'none' ? `${alter} storage extended, ` : ''}${alter} compression ${wish}`;
}
