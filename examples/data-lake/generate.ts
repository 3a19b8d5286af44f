import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A lake of so many pages, of about so many bytes each; all of it follows from the seed. */
export interface Lake {
  readonly seed: number;
  readonly pages: number;
  readonly pageBytes: number;
}

export const LEVELS = ['amateur', 'professional'] as const;

export interface PageKey {
  readonly boxrecId: number;
  readonly level: (typeof LEVELS)[number];
}

export function keyOf(page: number): PageKey {
  const level = LEVELS[page % LEVELS.length] ?? 'amateur';
  return { boxrecId: 1_000 + Math.floor(page / LEVELS.length), level };
}

export function nameOf(page: number): string {
  const { boxrecId, level } = keyOf(page);
  return `${boxrecId}_${level}.html`;
}

/** When a version of a page was scraped, in milliseconds since 1970. */
export function scrapedAt(page: number, version: number): number {
  return Date.UTC(2026, 0, 1) + version * 30 * 86_400_000 + page * 1_000;
}

/** Of each hundred pages, the one that changes its content, and the one that is only touched. */
export function isChanged(page: number): boolean {
  return page % 100 === 37;
}
export function isTouched(page: number): boolean {
  return page % 100 === 58;
}

/** The text of a page; another version has another head and another record. */
export function pageText({ seed, pageBytes }: Lake, page: number, version: number): string {
  const { boxrecId, level } = keyOf(page);
  const bouts = boutsOf(seed);
  const head =
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n` +
    `<title>Boxer ${boxrecId} – ${level}</title>\n` +
    `<meta name="version" content="${version}">\n</head>\n<body>\n` +
    `<h1>Boxer ${boxrecId}</h1>\n<p class="record">${10 + version}–${page % 7}–${page % 3}</p>\n`;
  const end = '</body>\n</html>\n';
  const parts = [head];
  let next = page * 31;
  for (let bytes = head.length + end.length; bytes < pageBytes; next += 1 + (page % 13)) {
    const bout = bouts[next % bouts.length] ?? '';
    parts.push(bout);
    bytes += bout.length;
  }
  return parts.join('') + end;
}

const pools = new Map<number, readonly string[]>();

/** The rows of which the tables of all pages are made: a lake is written in a minute, not in ten. */
function boutsOf(seed: number): readonly string[] {
  const made = pools.get(seed);
  if (made !== undefined) return made;
  const random = generator(seed);
  const bouts = Array.from({ length: 4_093 }, () => boutOf(random));
  pools.set(seed, bouts);
  return bouts;
}

/** Writes version 0 of all pages into a folder, which is made. */
export function writeLake(folder: string, lake: Lake): void {
  mkdirSync(folder, { recursive: true });
  for (let page = 0; page < lake.pages; page++) writePage(folder, lake, page, 0);
}

/** What the next scrape finds: pages that changed, pages written again as they were, and new ones. */
export function scrapeAgain(folder: string, lake: Lake): void {
  for (let page = 0; page < lake.pages; page++) {
    if (isChanged(page)) writePage(folder, lake, page, 1);
    if (isTouched(page)) touch(folder, page, 1);
  }
  for (let page = lake.pages; page < lake.pages + newPages(lake); page++) {
    writePage(folder, lake, page, 0);
  }
}

export function newPages({ pages }: Lake): number {
  return Math.floor(pages / 100);
}

function writePage(folder: string, lake: Lake, page: number, version: number): void {
  writeFileSync(join(folder, nameOf(page)), pageText(lake, page, version));
  touch(folder, page, version);
}

function touch(folder: string, page: number, version: number): void {
  const time = scrapedAt(page, version) / 1_000;
  utimesSync(join(folder, nameOf(page)), time, time);
}

const TOWNS = ['Anholt', 'Brede', 'Corvik', 'Dunmar', 'Elsby', 'Farrow', 'Grenna', 'Holt'];
const ENDS = ['points', 'knockout', 'technical knockout', 'split decision', 'draw'];

/** One row of the page's table, about 190 bytes. */
function boutOf(random: (below: number) => number): string {
  const [year, month, day] = [1990 + random(36), 1 + random(12), 1 + random(28)];
  const two = (number: number): string => String(number).padStart(2, '0');
  return (
    `<tr data-bout="${random(10_000_000)}"><td>${year}-${two(month)}-${two(day)}</td>` +
    `<td><a href="/boxer/${random(900_000)}">Opponent ${random(900_000)}</a></td>` +
    `<td>${TOWNS[random(TOWNS.length)] ?? ''}</td><td>${ENDS[random(ENDS.length)] ?? ''}</td>` +
    `<td>${1 + random(12)}</td></tr>\n`
  );
}

/** Park and Miller's generator: numbers from 0 to below a bound. */
function generator(seed: number): (below: number) => number {
  let state = (seed % 2_147_483_646) + 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
