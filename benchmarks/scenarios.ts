import { readdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { EtlError } from '../src/errors.ts';
import { didYouMean } from '../src/job/nearest-name.ts';
import { checkScenario, SUITES, type Scenario, type Suite } from './scenario.ts';

/** A scenario with the numbers that a suite gives it. */
export interface SizedScenario {
  readonly scenario: Scenario;
  readonly rows: number;
  readonly tableRows: number;
}

/** All scenarios that ship, by name. */
export async function readScenarios(): Promise<readonly Scenario[]> {
  const folder = scenarioFolder();
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(names.map((name) => readScenario(new URL(name, folder))));
}

/** Those of the suite, or those that are named, in the suite's size or, lacking it, the smallest. */
export function chooseScenarios(
  all: readonly Scenario[],
  suite: Suite,
  names: readonly string[],
): readonly SizedScenario[] {
  if (names.length === 0) {
    return all.flatMap((scenario) => (suite in scenario.rows ? [sized(scenario, suite)] : []));
  }
  return names.map((name) => {
    const scenario = all.find((one) => one.name === name);
    if (scenario === undefined) throw unknownScenario(name, all);
    const other = SUITES.find((one) => one in scenario.rows);
    return sized(scenario, suite in scenario.rows ? suite : (other ?? suite));
  });
}

function sized(scenario: Scenario, suite: Suite): SizedScenario {
  return {
    scenario,
    rows: scenario.rows[suite] ?? 1,
    tableRows: scenario.tableRows[suite] ?? 0,
  };
}

async function readScenario(url: URL): Promise<Scenario> {
  const name = basename(url.pathname);
  const scenario = checkScenario(parseJson(await readFile(url, 'utf8'), name), name);
  if (`${scenario.name}.json` === name) return scenario;
  throw new EtlError(
    'ETL_USAGE',
    `The scenario's name is "${scenario.name}".`,
    'Name the file after its scenario.',
    { file: name },
  );
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EtlError('ETL_USAGE', `It is not JSON: ${reason}.`, 'Mend it.', { file }, { cause });
  }
}

/** Beside this file in a checkout; compiled, this file is two folders further down. */
function scenarioFolder(): URL {
  const here = new URL('scenarios/', import.meta.url);
  return existsSync(here) ? here : new URL('../../benchmarks/scenarios/', import.meta.url);
}

function unknownScenario(name: string, all: readonly Scenario[]): EtlError {
  const names = all.map((one) => one.name);
  return new EtlError(
    'ETL_USAGE',
    `There is no scenario "${name}".${didYouMean(name, names)}`,
    `The scenarios: ${names.join(', ')}.`,
  );
}
