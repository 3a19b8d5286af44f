import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The text of Chart.js as a plain script, from the installed package. Its line about a source map
 * goes: it would make a browser's tools ask for a file.
 */
export function chartLibrary(): string {
  const main = createRequire(import.meta.url).resolve('chart.js');
  const script = readFileSync(join(dirname(main), 'chart.umd.min.js'), 'utf8');
  return script.replace(/^\/\/# sourceMappingURL=.*$/m, '').replaceAll('\r', '');
}
