/** So many scraped profiles; all of them follow from the seed. */
export interface Scrape {
  readonly seed: number;
  readonly profiles: number;
}

export interface Profile {
  readonly username: string;
  readonly full_name: string;
  readonly bio: string | null;
  readonly followers: number;
  readonly following: number;
  readonly posts: number;
  readonly is_private: boolean;
  readonly is_verified: boolean;
  readonly external_url: string | null;
  /** ISO 8601, UTC. */
  readonly scraped_at: string;
}

/** Profiles that come again and again, as those do whom everybody links to. */
const CELEBRITIES_AMONG = 500;

/**
 * Whom the profile at a place is of: of five, three are new, one is a celebrity, and one was scraped
 * three profiles before.
 */
export function personOf(place: number): number {
  if (place % 5 === 4) return place - 3;
  return place % 5 === 3 ? place % CELEBRITIES_AMONG : place;
}

/** Different persons among the first profiles. */
export function personsAmong(profiles: number): number {
  const celebrities = Math.min(profiles, CELEBRITIES_AMONG);
  return (
    countOf(profiles, 0) + countOf(profiles, 1) + countOf(profiles, 2) + countOf(celebrities, 3)
  );
}

/** Places below a bound that leave this remainder of five. */
function countOf(bound: number, remainder: number): number {
  return Math.floor((bound - remainder + 4) / 5);
}

export function usernameOf(person: number): string {
  return `${FIRST[person % FIRST.length] ?? ''}.${LAST[person % LAST.length] ?? ''}_${person}`;
}

/** Seconds since the scrape began: one profile each. */
export function scrapedAt(place: number): string {
  return new Date(Date.UTC(2026, 0, 1) + place * 1_000).toISOString();
}

export function profileAt({ seed }: Scrape, place: number): Profile {
  const person = personOf(place);
  const random = generator(seed + person * 7_919);
  const [first, last] = [FIRST[person % FIRST.length] ?? '', LAST[person % LAST.length] ?? ''];
  const words = Array.from({ length: 4 + random(12) }, () => WORDS[random(WORDS.length)] ?? '');
  return {
    username: usernameOf(person),
    full_name: `${first} ${last}`,
    bio: random(10) === 0 ? null : words.join(' '),
    followers: random(1_000_000),
    following: random(5_000),
    // Grows from one scrape to the next.
    posts: random(2_000) + Math.floor(place / CELEBRITIES_AMONG),
    is_private: random(4) === 0,
    is_verified: random(50) === 0,
    external_url: random(3) === 0 ? `https://example.org/${person}` : null,
    scraped_at: scrapedAt(place),
  };
}

export function profilesFrom(scrape: Scrape, from: number, to: number): Profile[] {
  return Array.from({ length: to - from }, (_, index) => profileAt(scrape, from + index));
}

/** JSON Lines, in pieces of a megabyte or so. */
export function* jsonLines(scrape: Scrape): Generator<string> {
  const STEP = 4_000;
  for (let from = 0; from < scrape.profiles; from += STEP) {
    const some = profilesFrom(scrape, from, Math.min(scrape.profiles, from + STEP));
    yield some.map((profile) => `${JSON.stringify(profile)}\n`).join('');
  }
}

const FIRST = ['ada', 'bruno', 'carla', 'dario', 'elin', 'farid', 'greta', 'hugo', 'ines', 'jonas'];
const LAST = ['abel', 'brandt', 'castro', 'dietz', 'eklund', 'fabre', 'gallo'];
const WORDS = 'coffee mountains code film running dogs sea books bread maps night music wool'.split(
  ' ',
);

/** Park and Miller's generator: numbers from 0 to below a bound. */
function generator(seed: number): (below: number) => number {
  let state = (seed % 2_147_483_646) + 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
