import { readFile } from 'node:fs/promises';

/** A logistic model: the odds of default grow with the weighted, standardised ratios. */
export interface Model {
  readonly intercept: number;
  readonly features: readonly Feature[];
  /** In ascending order; the last is below 1. */
  readonly grades: readonly { readonly grade: string; readonly below: number }[];
}

export interface Feature {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
  readonly weight: number;
}

/** Probabilities of rows whose ratios stand one after another, in the order of the features. */
export type Predict = (ratios: Float64Array) => ArrayLike<number> | Promise<ArrayLike<number>>;

export async function readModel(path: URL): Promise<Model> {
  return JSON.parse(await readFile(path, 'utf8')) as Model;
}

export function logisticModel({ intercept, features }: Model): Predict {
  return (ratios) => {
    const probabilities = new Float64Array(ratios.length / features.length);
    let at = 0;
    for (let row = 0; row < probabilities.length; row++) {
      let odds = intercept;
      for (const { mean, deviation, weight } of features) {
        odds += (weight * ((ratios[at++] as number) - mean)) / deviation;
      }
      probabilities[row] = 1 / (1 + Math.exp(-odds));
    }
    return probabilities;
  };
}
