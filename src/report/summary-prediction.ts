import type { Foreseen, LoadPrediction, LoadReport } from '../run/report-types.ts';
import { formatCount, formatCounted, formatDuration } from './format.ts';
import { labelled } from './page.ts';
import type { Page } from './page.ts';

/** A prediction that errs by more than this factor is told without being asked. */
const FACTOR_TOLD = 2;

/** Below these differences an error is no news: a thread needs longer to start. */
const SECONDS_TOLD = 1;
const ROWS_TOLD = 1_000;

/**
 * What was foreseen beside what came: always where all is wanted, otherwise in one sentence where
 * the plan erred by more than a factor of two.
 */
export function predictionLines(
  { prediction, strategy }: LoadReport,
  verbose: boolean,
  page: Page,
): readonly string[] {
  const line = (label: string, text: string): string =>
    labelled(label, text, { margin: 2, labelWidth: 11 }, page);
  if (prediction.seconds.actual === null) return [];
  if (verbose) {
    return [
      line('Predicted', `${predictedText(prediction, strategy)}.`),
      line('Came', `${cameText(prediction)}.`),
    ];
  }
  const errors = errorsOf(prediction);
  return errors.length === 0 ? [] : [line('Prediction', `${errors.join('; ')}.`)];
}

function errorsOf({ seconds, rows, multiplicity }: LoadPrediction): string[] {
  return [
    ...told(seconds, SECONDS_TOLD, (value) => formatDuration(value * 1_000)).map(
      (error) => `${error} (predicted for another machine, to compare strategies)`,
    ),
    ...told(rows, ROWS_TOLD, (value) => formatCounted(value, 'row')),
    ...told(multiplicity, 0, (value) => `${value.toFixed(1)} rows per key`),
  ];
}

function told(value: Foreseen, least: number, text: (value: number) => string): string[] {
  const { predicted, actual, ratio } = value;
  if (predicted === null || actual === null || ratio === null) return [];
  const near = ratio <= FACTOR_TOLD && ratio >= 1 / FACTOR_TOLD;
  if (near || Math.abs(actual - predicted) < least) return [];
  return [`${text(actual)} instead of ${text(predicted)}`];
}

function predictedText(prediction: LoadPrediction, strategy: string): string {
  const { seconds, rows, multiplicity, conflicts, strategies } = prediction;
  const others = strategies
    .filter((other) => other.strategy !== strategy && other.seconds !== null)
    .map((other) => `${other.strategy} ${duration(other.seconds)}`);
  return [
    `${duration(seconds.predicted)}${others.length === 0 ? '' : ` (${others.join(', ')})`}`,
    ...(rows.predicted === null ? [] : [formatCounted(rows.predicted, 'row')]),
    ...(multiplicity.predicted === null ? [] : [perKey(multiplicity.predicted)]),
    formatCounted(conflicts.predicted, 'conflict'),
  ].join(', ');
}

function cameText({ seconds, rows, multiplicity, conflicts }: LoadPrediction): string {
  const times = seconds.ratio === null ? '' : ` (${seconds.ratio.toFixed(2)} times as long)`;
  return [
    `${duration(seconds.actual)}${times}`,
    `${formatCount(rows.actual)} rows`,
    ...(multiplicity.actual === null ? [] : [perKey(multiplicity.actual)]),
    `${formatDuration(conflicts.waitedMs ?? 0)} waited for earlier units`,
  ].join(', ');
}

function duration(seconds: number | null): string {
  return formatDuration(seconds === null ? NaN : seconds * 1_000);
}

function perKey(multiplicity: number): string {
  return `${multiplicity.toFixed(2)} rows per key`;
}
