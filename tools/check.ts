import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { digestOf, digestOfFiles, readTree, type FileTree } from './check/file-tree.ts';
import { readPassed, writePassed } from './check/passed-before.ts';
import { isGround, KEPT, STEPS, type Step } from './check/steps.ts';

/**
 * `npm run check`: types, lint, format, unused code, house rules and unit tests, all at once. Every
 * step is seen to its end, so that one look shows all that is wrong; what went well is one line.
 * What passed before is not looked at again while all that it depends on is the same, byte by byte;
 * a fresh checkout remembers nothing. `npm test` runs every test always.
 */
const before = readTree('.');
const ground = groundOf(before);
const passed = readPassed(KEPT, ground);
const ends = await Promise.all(STEPS.map(runStep));
remember();
process.exitCode = ends.every((good) => good) ? 0 : 1;

function groundOf(tree: FileTree): string {
  const installed = readFileSync('node_modules/.package-lock.json');
  return digestOf([process.version, installed, digestOfFiles(tree, isGround)]);
}

async function runStep(step: Step): Promise<boolean> {
  const subjects = step.subjectsIn(before);
  const known = new Set(passed[step.name]);
  const open = [...subjects].filter(([, digest]) => !known.has(digest));
  const started = performance.now();
  const names = open.map(([name]) => name);
  const words = step.words(names, open.length === subjects.size);
  const { good, said } = open.length === 0 ? { good: true, said: '' } : await runNode(words);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const looked = subjects.size === 1 ? '' : `, ${open.length} of ${subjects.size} files`;
  const took = open.length === 0 ? 'unchanged' : `${seconds} s${looked}`;
  process.stdout.write(`${good ? 'ok    ' : 'FAILED'} ${step.name.padEnd(14)} ${took}\n`);
  if (!good) process.stdout.write(`\n${said.trimEnd()}\n\n`);
  return good;
}

async function runNode(words: readonly string[]): Promise<{ good: boolean; said: string }> {
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  }
  const good = await new Promise<boolean>((resolve) => {
    child.on('close', (code) => {
      resolve(code === 0);
    });
  });
  return { good, said };
}

/** Of what was edited meanwhile, nothing is known; of a step that failed, only what passed before. */
function remember(): void {
  const after = readTree('.');
  if (groundOf(after) !== ground) return;
  const kept = STEPS.map((step, place) => {
    const looked = ends[place] === true ? step.subjectsIn(before).values() : [];
    const passedNow = new Set([...(passed[step.name] ?? []), ...looked]);
    const still = [...step.subjectsIn(after).values()].filter((digest) => passedNow.has(digest));
    return [step.name, still] as const;
  });
  writePassed(KEPT, ground, Object.fromEntries(kept));
}
