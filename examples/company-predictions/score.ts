import { defineTransform } from 'parallel-upsert';
import { logisticModel, readModel, type Model, type Predict } from './model.ts';
import { onnxModel } from './onnx.ts';

interface Scoring {
  readonly model: Model;
  readonly predict: Predict;
}

/**
 * Scores rows by the model: with onnxruntime-node where that is installed, else in plain TypeScript.
 * A ratio that is missing counts as the average; one that is no number makes the row a bad one.
 */
export default defineTransform<Scoring, { readonly model: string }>({
  columns: { default_probability: 'double precision', grade: 'text' },
  version: '1',
  setUp: async (options) => {
    const model = await readModel(new URL(options.model, import.meta.url));
    return { model, predict: (await onnxModel(model)) ?? logisticModel(model) };
  },
  transform: async (rows, { model, predict }, { reject }) => {
    const { features, grades } = model;
    const ratios = new Float64Array(rows.length * features.length);
    let at = 0;
    const wrong = rows.map((row) => {
      let first: string | null = null;
      for (const { name, mean } of features) {
        const text = row[name] ?? null;
        const ratio = text === null ? mean : Number(text);
        if (!Number.isFinite(ratio)) first ??= `${name} is no number: "${text ?? ''}"`;
        ratios[at++] = ratio;
      }
      return first;
    });
    const probabilities = await predict(ratios);
    return rows.map((_, index) => {
      const problem = wrong[index] ?? null;
      if (problem !== null) return reject(problem);
      // What a float of 32 bits, as ONNX has it, can tell as well.
      const probability = Math.round((probabilities[index] as number) * 1e5) / 1e5;
      const grade = grades.find(({ below }) => probability < below)?.grade ?? null;
      return { default_probability: probability, grade };
    });
  },
});
