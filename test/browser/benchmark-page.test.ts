import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { renderPage } from '../../benchmarks/page/render-page.ts';
import type { BenchmarkResults } from '../../benchmarks/results.ts';
import {
  benchmarkCase,
  benchmarkResults,
  fullResults,
  run,
  timeline,
} from '../support/benchmark-results.ts';
import { openBrowser, type Browser } from '../support/chromium.ts';

/** The page as people open it: a file, in a real browser, without a server or a network. */
describe('the benchmark page', () => {
  let browser: Browser;
  let folder: string;
  let pages = 0;
  /** What the browser complained of or asked for, apart from the page's own file. */
  const noise: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etl-page-'));
    browser = await openBrowser();
  });
  afterEach(() => {
    noise.length = 0;
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  async function open(results: BenchmarkResults): Promise<Page> {
    const path = join(folder, `page-${++pages}.html`);
    await writeFile(path, renderPage(results));
    const url = pathToFileURL(path).href;
    const page = await browser.context.newPage();
    page.on('console', (message) => noise.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => noise.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (request.url() !== url) noise.push(`request: ${request.url()}`);
    });
    await page.goto(url);
    return page;
  }

  test('draws every plot and asks for nothing', async () => {
    const page = await open(fullResults());
    expect(await page.title()).toBe('Benchmark of etl: small');
    const plots = await inkOf(page);
    // Examples; throughput; two peers; two scenarios of scaling by speed and CPU; CPU; timelines of five.
    expect(plots).toHaveLength(1 + 1 + 2 + 4 + 2 + 8);
    expect(plots.filter((ink) => ink < 200)).toEqual([]);
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    const shown = await page.innerText('body');
    for (const text of [
      'Throughput by strategy and overlap',
      'What the benchmark must show',
      'pages: first load',
      'MISSED',
      'WRONG',
      'A CPU, 2 cores',
    ]) {
      expect(shown).toContain(text);
    }
    expect(noise).toEqual([]);
  });

  test('draws again in the colours of the other scheme', async () => {
    const page = await open(fullResults());
    const look = async (colorScheme: 'light' | 'dark') => {
      await page.emulateMedia({ colorScheme });
      const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      return {
        ground,
        ink: await inkOf(page),
        pixels: await page.locator('canvas').first().screenshot(),
      };
    };
    const light = await look('light');
    const dark = await look('dark');
    expect([light.ground, dark.ground]).toEqual(['rgb(255, 255, 255)', 'rgb(13, 17, 23)']);
    expect(dark.ink.filter((ink) => ink < 200)).toEqual([]);
    expect(dark.pixels.equals(light.pixels)).toBe(false);
    expect(noise).toEqual([]);
  });

  test('is printed in dark ink on white, whatever the screen was', async () => {
    const page = await open(fullResults());
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await page.locator('canvas').first().screenshot();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await page.locator('canvas').first().screenshot();
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
    const [ground, ink] = await page.evaluate<string[]>(
      '(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.body))',
    );
    expect([ground, ink]).toEqual(['rgb(255, 255, 255)', 'rgb(27, 31, 36)']);
    const printed = page.locator('canvas').first();
    await expect.poll(async () => light.equals(await printed.screenshot())).toBe(true);
    expect(dark.equals(light)).toBe(false);
    expect(await page.locator('nav').isVisible()).toBe(false);
    expect(noise).toEqual([]);
  });

  test('fits on a phone: wide tables scroll by themselves', async () => {
    const page = await open(fullResults());
    await page.setViewportSize({ width: 360, height: 740 });
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    // The plots learn of a new size from an observer, which the browser calls when it next draws.
    const widest = () =>
      page.evaluate(
        'Math.max(...[...document.querySelectorAll("body, section, figure, canvas")].map((one) => one.getBoundingClientRect().right))',
      );
    await expect.poll(widest, { timeout: 10_000 }).toBeLessThanOrEqual(360);
    await expect
      .poll(() => page.evaluate('document.documentElement.scrollWidth'), { timeout: 10_000 })
      .toBe(360);
  });

  test('shows empty results in sentences', async () => {
    const page = await open(benchmarkResults());
    expect(await page.innerText('main')).toContain('No run of the engine was measured.');
    expect(await page.locator('canvas').count()).toBe(0);
    expect(noise).toEqual([]);
  });

  test('runs nothing that a name contains', async () => {
    const hostile = `</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">`;
    const runs = [run({ timeline: timeline(2).map((span) => ({ ...span, file: hostile })) })];
    const page = await open(
      benchmarkResults({ cases: [benchmarkCase({ scenario: hostile, runs })] }),
    );
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(await page.innerText('main')).toContain(hostile);
    expect((await inkOf(page)).filter((ink) => ink < 200)).toEqual([]);
    expect(noise).toEqual([]);
  });

  test('is refused what its policy does not allow, even from the inside', async () => {
    const page = await open(fullResults());
    const refused: string[] = [];
    page.on('requestfailed', (request) => refused.push(request.failure()?.errorText ?? ''));
    await page.evaluate(`
      const script = document.createElement('script');
      script.textContent = 'window.hacked = 1';
      document.body.append(script);
      const image = document.createElement('img');
      image.src = 'http://127.0.0.1:9/pixel';
      document.body.append(image);`);
    await expect.poll(() => refused).toEqual(['csp']);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(noise.filter((line) => line.includes('Content Security Policy'))).toHaveLength(2);
  });
});

/** Pixels of each canvas that are not transparent; read from a copy, or the browser complains. */
async function inkOf(page: Page): Promise<number[]> {
  return page.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const pen = copy.getContext('2d', { willReadFrequently: true });
    pen.drawImage(canvas, 0, 0);
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    let ink = 0;
    for (let place = 3; place < data.length; place += 4) if (data[place] > 0) ink++;
    return ink;
  })`);
}
