import { createHash } from 'node:crypto';
import type { BenchmarkResults } from '../results.ts';
import { certificateMarkup, rawRunsMarkup } from './certificate.ts';
import { chartLibrary } from './chart-library.ts';
import { choiceSection } from './choice-section.ts';
import { examplesSection } from './examples-section.ts';
import { goalsSection } from './goals-section.ts';
import { escaped, jsonBlock, sectionMarkup } from './markup.ts';
import type { Chart, Section } from './page-model.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { peersSection } from './peers-section.ts';
import { scalingSection } from './scaling-section.ts';
import { STYLE } from './style.ts';
import { cpuSection, throughputSection } from './throughput-section.ts';
import { timelineSection } from './timeline-section.ts';
import { ratiosMarkup, verdictMarkup } from './verdict.ts';

/**
 * The results as one HTML file that needs nothing else: no network, no second file. Its own policy
 * says so to the browser: nothing may be loaded, and only the scripts and the style of these very
 * bytes may run, so that no name of a scenario or of a file can become code.
 */
export function renderPage(results: BenchmarkResults): string {
  const { cases, ratios, certificate, examples = [] } = results;
  const goals = goalsSection(ratios);
  const sections = [
    ...(examples.length === 0 ? [] : [examplesSection(examples)]),
    throughputSection(cases),
    peersSection(cases),
    scalingSection(cases),
    cpuSection(cases),
    timelineSection(cases),
    choiceSection(cases),
  ];
  const scripts = [chartLibrary(), PAGE_SCRIPT];
  const title = `Benchmark of etl: ${certificate.suite}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policyOf(scripts, STYLE)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
${verdictMarkup(results)}
${navigation([goals, ...sections])}
</header>
<noscript><p>The plots need JavaScript; the tables below hold the same data.</p></noscript>
<main>
${sectionMarkup(goals, 0)}
${ratiosMarkup(ratios)}
${numbered(sections)}
${certificateMarkup(certificate)}
${rawRunsMarkup(cases)}
</main>
${jsonBlock('charts', chartsOf(sections))}
${scripts.map((script) => `<script>${script}</script>`).join('\n')}
</body>
</html>
`;
}

/** In the order in which the plots are numbered. */
function chartsOf(sections: readonly Section[]): Chart[] {
  return sections.flatMap(({ figures }) => figures.flatMap(({ chart }) => chart ?? []));
}

function numbered(sections: readonly Section[]): string {
  return sections
    .map((section, place) => sectionMarkup(section, chartsOf(sections.slice(0, place)).length))
    .join('\n');
}

function navigation(sections: readonly Section[]): string {
  const links = [
    { id: 'ratios', title: 'Ratios' },
    ...sections,
    { id: 'certificate', title: 'Birth certificate' },
    { id: 'runs', title: 'Every run' },
  ].map(({ id, title }) => `<li><a href="#${escaped(id)}">${escaped(title)}</a></li>`);
  return `<nav aria-label="Sections"><ul>${links.join('')}</ul></nav>`;
}

function policyOf(scripts: readonly string[], style: string): string {
  const hash = (text: string): string =>
    `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    `default-src 'none'`,
    `script-src ${scripts.map(hash).join(' ')}`,
    `style-src ${hash(style)}`,
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
}
