import { CHART_TYPES } from './page-model.ts';

/**
 * Draws the plots of the page's JSON block with Chart.js, in the colours of the style, and again
 * when the colour scheme changes, or paper takes the place of the screen. Bars lie on their side: their
 * labels are long, and so the page grows downwards on a phone. The heights are set here, since the page's
 * policy refuses style attributes in the markup.
 */
export const PAGE_SCRIPT = `
'use strict';
(() => {
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const types = ${JSON.stringify(CHART_TYPES)};
  const POINTS = ['circle', 'rect', 'triangle', 'rectRot', 'star', 'crossRot'];
  let drawn = [];

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function heightOf(chart) {
    if (chart.kind === 'lines') return 320;
    const bars = chart.kind === 'spans' || chart.stacked ? 1 : chart.series.length;
    return 110 + chart.labels.length * (14 + 14 * bars);
  }

  // The whole label is in the table; here a long one would leave no room for the plot.
  function shortened(label, width) {
    const most = Math.max(12, Math.floor(width / 20));
    return label.length <= most ? label : label.slice(0, most - 1) + '\\u2026';
  }

  function datasetOf(series, chart) {
    const ink = color('--series-' + series.color);
    const common = { label: series.name, backgroundColor: ink, borderColor: ink };
    if (chart.kind === 'lines') {
      // Lines cross, and not everyone tells their colours apart.
      const shape = { pointStyle: POINTS[series.color % POINTS.length], pointRadius: 5 };
      return { ...common, ...shape, data: series.values, spanGaps: true, tension: 0 };
    }
    if (chart.kind === 'bars') return { ...common, data: series.values };
    const data = series.spans.map((span) => ({ x: [span.from, span.to], y: span.lane }));
    return { ...common, data, grouped: false, barPercentage: 0.9, minBarLength: 1 };
  }

  // From the power of ten below the smallest value, and with powers of ten alone written out.
  function logarithmic(chart, ticks) {
    const values = chart.series.flatMap((one) => one.values).filter((value) => value > 0);
    const min = 10 ** Math.floor(Math.log10(Math.min(...values)) - 0.01);
    const callback = (tick) => (Number.isInteger(Math.log10(tick)) ? tick.toLocaleString('en-US') : '');
    return {
      type: 'logarithmic',
      beginAtZero: false,
      min,
      ticks: { ...ticks, callback, maxRotation: 0, autoSkip: false },
    };
  }

  function scalesOf(chart) {
    const ticks = { color: color('--faint') };
    const grid = { color: color('--line') };
    const titled = (text) => ({ display: true, text, color: color('--faint') });
    const value = { title: titled(chart.axis), ticks, grid, beginAtZero: true };
    if (chart.kind === 'lines') {
      return { x: { title: titled(chart.labelAxis), ticks, grid }, y: value };
    }
    const label = {
      type: 'category',
      labels: chart.labels,
      stacked: chart.stacked === true,
      ticks: {
        ...ticks,
        autoSkip: false,
        callback(tick) {
          return shortened(this.getLabelForValue(tick), this.chart.width);
        },
      },
      grid: { display: false },
    };
    const x = { ...value, stacked: chart.stacked === true };
    if (chart.kind === 'spans') return { x: { ...x, max: chart.axisMax }, y: label };
    return { x: chart.logarithmic ? { ...x, ...logarithmic(chart, ticks) } : x, y: label };
  }

  function draw() {
    for (const one of drawn) one.destroy();
    drawn = [...document.querySelectorAll('canvas[data-chart]')].map((canvas) => {
      const chart = charts[Number(canvas.dataset.chart)];
      canvas.parentElement.style.height = heightOf(chart) + 'px';
      return new Chart(canvas, {
        type: types[chart.kind],
        data: { labels: chart.labels, datasets: chart.series.map((one) => datasetOf(one, chart)) },
        options: {
          animation: false,
          responsive: true,
          maintainAspectRatio: false,
          indexAxis: chart.kind === 'lines' ? 'x' : 'y',
          scales: scalesOf(chart),
          plugins: {
            legend: {
              // One series, too, has a name: which strategy it was stands nowhere else.
              display: true,
              labels: { color: color('--text'), usePointStyle: chart.kind === 'lines' },
            },
          },
        },
      });
    });
  }

  draw();
  for (const media of ['(prefers-color-scheme: dark)', 'print']) {
    matchMedia(media).addEventListener('change', draw);
  }
})();
`;
