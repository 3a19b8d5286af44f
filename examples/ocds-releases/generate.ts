/** Packages of releases as an API gives them page by page: a pure function of these. */
export interface Publication {
  readonly seed: number;
  readonly pages: number;
  readonly releasesPerPage: number;
}

/** What of a release package (OCDS 1.1) is here. */
export interface ReleasePackage {
  readonly uri: string;
  readonly version: '1.1';
  readonly publishedDate: string;
  readonly publisher: { readonly name: string };
  readonly releases: readonly Release[];
  readonly links?: { readonly next: string };
}

export interface Release {
  readonly ocid: string;
  /** A bad release may lack it. */
  readonly id?: string;
  readonly date: string;
  readonly tag: readonly string[];
  readonly initiationType: 'tender';
  readonly language: string;
  readonly parties: readonly (Organization & { readonly roles: readonly string[] })[];
  readonly buyer: Organization;
  readonly tender: {
    readonly id: string;
    readonly title: string;
    readonly status: string;
    readonly procurementMethod: string;
    readonly value: Value;
    readonly tenderPeriod: { readonly startDate: string; readonly endDate: string };
    readonly items: readonly object[];
  };
  readonly awards: readonly {
    readonly id: string;
    readonly status: string;
    readonly value: Value;
    readonly suppliers: readonly Organization[];
  }[];
}

interface Organization {
  readonly id: string;
  readonly name: string;
}

interface Value {
  /** A bad release may have words here. */
  readonly amount: number | string;
  readonly currency: string;
}

/**
 * What a release is to those before it. `corrected` has the id of an earlier one and other content,
 * `repeated` the same content. `bad` cannot be loaded: it has no id, or no number as its amount.
 */
export type Kind = 'new' | 'corrected' | 'repeated' | 'bad';

/** Counts of a load page after page. */
export interface Expected {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly superseded: number;
  readonly rejected: number;
  /** Sum of the amounts of the tenders that are in the table. */
  readonly amounts: number;
}

/** So many places back lies what is corrected, and what is repeated: both are new releases. */
const CORRECTED_BACK = 54;
const REPEATED_BACK = 62;
/** One release of every fourth page is bad. */
const BAD_PAGES = 4;
const BAD_PLACE = 42;

/** `place` counts the releases of all pages from 0. */
export function kindAt({ releasesPerPage }: Publication, place: number): Kind {
  const page = Math.floor(place / releasesPerPage);
  if (page % BAD_PAGES === BAD_PAGES - 1 && place % releasesPerPage === BAD_PLACE) return 'bad';
  if (place % 10 === 9 && place >= CORRECTED_BACK) return 'corrected';
  if (place % 10 === 8 && place >= REPEATED_BACK) return 'repeated';
  return 'new';
}

export function releaseAt(publication: Publication, place: number): Release {
  switch (kindAt(publication, place)) {
    case 'new':
      return firstRelease(publication, place, 0);
    case 'corrected':
      return firstRelease(publication, place - CORRECTED_BACK, 1);
    case 'repeated':
      return firstRelease(publication, place - REPEATED_BACK, 0);
    case 'bad':
      return badRelease(publication, place);
  }
}

/** `uriOf`: where a page is found; pages count from 1. */
export function packageAt(
  publication: Publication,
  page: number,
  uriOf: (page: number) => string,
): ReleasePackage {
  const { pages, releasesPerPage } = publication;
  const first = (page - 1) * releasesPerPage;
  return {
    uri: uriOf(page),
    version: '1.1',
    publishedDate: dateOf(page, 0),
    publisher: { name: 'An authority that does not exist' },
    releases: Array.from({ length: releasesPerPage }, (_, at) =>
      releaseAt(publication, first + at),
    ),
    ...(page < pages ? { links: { next: uriOf(page + 1) } } : {}),
  };
}

/** By counting the kinds of all places. */
export function expectedOf(publication: Publication): Expected {
  const { pages, releasesPerPage } = publication;
  const counts = { inserted: 0, updated: 0, unchanged: 0, superseded: 0, rejected: 0 };
  const pageOf = (place: number): number => Math.floor(place / releasesPerPage);
  let amounts = 0;
  for (let place = 0; place < pages * releasesPerPage; place++) {
    const kind = kindAt(publication, place);
    const back = kind === 'corrected' ? CORRECTED_BACK : REPEATED_BACK;
    if (kind === 'new') {
      counts.inserted += 1;
      amounts += amountOf(publication, place, 0);
    } else if (kind === 'bad') {
      counts.rejected += 1;
    } else if (pageOf(place) === pageOf(place - back)) {
      counts.superseded += 1;
    } else {
      counts[kind === 'corrected' ? 'updated' : 'unchanged'] += 1;
    }
    if (kind === 'corrected') {
      amounts += amountOf(publication, place - back, 1) - amountOf(publication, place - back, 0);
    }
  }
  return { ...counts, amounts };
}

function firstRelease(publication: Publication, place: number, revision: number): Release {
  const mixed = mix(place, publication.seed);
  const ocid = `ocds-example-${String(place).padStart(8, '0')}`;
  const buyer = { id: `authority-${mixed % 97}`, name: `Authority of district ${mixed % 97}` };
  const supplier = { id: `company-${mixed % 4_001}`, name: `Company № ${mixed % 4_001}` };
  const amount = amountOf(publication, place, revision);
  const value = { amount, currency: mixed % 3 === 0 ? 'EUR' : 'GBP' };
  const awarded = mixed % 2 === 0;
  return {
    ocid,
    id: `${ocid}-01`,
    date: dateOf(place, revision),
    tag: awarded ? ['tender', 'award'] : ['tender'],
    initiationType: 'tender',
    language: 'en',
    parties: [
      { ...buyer, roles: ['buyer', 'procuringEntity'] },
      ...(awarded ? [{ ...supplier, roles: ['supplier', 'tenderer'] }] : []),
    ],
    buyer,
    tender: {
      id: `${ocid}-tender`,
      title: `Works on "bridge ${mixed % 1_009}", lot ${1 + (mixed % 5)}`,
      status: awarded ? 'complete' : 'active',
      procurementMethod: 'open',
      value,
      tenderPeriod: { startDate: dateOf(place, 0), endDate: dateOf(place + 30, 0) },
      items: itemsOf(mixed),
    },
    awards: awarded
      ? [{ id: `${ocid}-award`, status: 'active', value, suppliers: [supplier] }]
      : [],
  };
}

/** Without an id, and with words as its amount, by turns. */
function badRelease(publication: Publication, place: number): Release {
  const { id, ...release } = firstRelease(publication, place, 0);
  const page = Math.floor(place / publication.releasesPerPage);
  if (id === undefined || Math.floor(page / BAD_PAGES) % 2 === 0) return release;
  const { tender } = release;
  const value = { ...tender.value, amount: 'to be announced' };
  return { ...release, id, tender: { ...tender, value } };
}

function itemsOf(mixed: number): object[] {
  return Array.from({ length: 1 + (mixed % 4) }, (_, index) => ({
    id: String(index + 1),
    description: `Item ${index + 1}: steel, concrete, or what else a bridge is made of`,
    classification: {
      scheme: 'CPV',
      id: String(45_221_000 + (mixed % 999)),
      description: 'Bridges',
    },
    quantity: 1 + ((mixed >>> index) % 50),
    unit: { name: 'tonne' },
  }));
}

/** Whole, so that sums are exact. */
function amountOf({ seed }: Publication, place: number, revision: number): number {
  return 1_000 + (mix(place, seed + 1) % 900_000) + revision;
}

const FIRST_DAY_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

function dateOf(minutes: number, revision: number): string {
  return new Date(FIRST_DAY_MS + (minutes + revision) * MINUTE_MS).toISOString();
}

/** A 32-bit mixer: neighbours have nothing in common. */
function mix(value: number, seed: number): number {
  let mixed = Math.imul(value ^ Math.imul(seed + 1, 0x9e3779b1), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
