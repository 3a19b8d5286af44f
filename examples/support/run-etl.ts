import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EtlEnd, EtlOptions, Scene } from './example.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = join(ROOT, 'dist/src/cli/main.js');

/** Writes what the process has used, when it ends. */
const USAGE_PROBE = `data:text/javascript,${encodeURIComponent(`
import { writeFileSync } from 'node:fs';
process.on('exit', () => {
  writeFileSync(process.env.EXAMPLE_USAGE, JSON.stringify(process.resourceUsage()));
});
`)}`;

let calls = 0;

/** The built command line as a user's shell calls it, measured. */
export function etlIn(
  folder: string,
  scene: Pick<Scene, 'databaseUrl' | 'signal'>,
): (words: readonly string[], options?: EtlOptions) => Promise<EtlEnd> {
  return async (words, { exitCode = 0, cwd = folder } = {}) => {
    calls += 1;
    const usageFile = join(folder, `usage-${calls}.json`);
    const env = { ...process.env, DATABASE_URL: scene.databaseUrl, EXAMPLE_USAGE: usageFile };
    const startedAt = performance.now();
    const child = spawn(process.execPath, ['--import', USAGE_PROBE, MAIN, ...words], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: scene.signal,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    const wallMs = performance.now() - startedAt;
    if (code !== exitCode) {
      throw new Error(
        `etl ${words.join(' ')} ended with ${code ?? 'a signal'}:\n${stderr}${stdout}`,
      );
    }
    const usage = JSON.parse(await readFile(usageFile, 'utf8')) as NodeJS.ResourceUsage;
    await rm(usageFile);
    const cpuMs = (usage.userCPUTime + usage.systemCPUTime) / 1_000;
    return { stdout, stderr, wallMs, cpuMs, rssPeakBytes: usage.maxRSS * 1_024 };
  };
}
