/** A place for one session at a time, with what is kept there from session to session. */
export interface Place<Kept> {
  readonly kept: Kept;
}

/** So many sessions at once; the others wait in their order. */
export interface Places<Kept> {
  take(): Promise<Place<Kept>>;
  give(place: Place<Kept>): void;
  readonly all: readonly Place<Kept>[];
  isBusy(place: Place<Kept>): boolean;
}

export function createPlaces<Kept>(count: number, keptAt: (index: number) => Kept): Places<Kept> {
  const all = Array.from({ length: count }, (_, index): Place<Kept> => ({ kept: keptAt(index) }));
  const free = [...all];
  const waiting: ((place: Place<Kept>) => void)[] = [];
  return {
    take: () => {
      const place = free.shift();
      if (place !== undefined) return Promise.resolve(place);
      return new Promise((resolve) => waiting.push(resolve));
    },
    give: (place) => {
      const next = waiting.shift();
      if (next === undefined) free.push(place);
      else next(place);
    },
    all,
    isBusy: (place) => !free.includes(place),
  };
}
