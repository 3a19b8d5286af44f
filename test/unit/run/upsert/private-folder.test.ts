import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processIdentity } from '../../../../src/embedded/process-identity.ts';
import {
  prefixOf,
  privateFolder,
  removeAbandoned,
} from '../../../../src/run/upsert/private-folder.ts';

let within = '';
beforeEach(async () => {
  within = await mkdtemp(join(tmpdir(), 'etl-private-'));
});
afterEach(() => rm(within, { recursive: true }));

const names = async (): Promise<string[]> => (await readdir(within)).sort();

test('the folder of a process stays while it runs, and goes with the next sweep once it is killed', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  const identity = processIdentity(child.pid ?? 0) ?? '';
  const folder = await mkdtemp(join(within, prefixOf(identity)));
  await writeFile(join(folder, 'rows-1.jsonl'), '{}\n');
  await removeAbandoned(within);
  expect(await names()).toEqual([basename(folder)]);
  child.kill('SIGKILL');
  await once(child, 'close');
  await removeAbandoned(within);
  expect(await names()).toEqual([]);
});

test('a process that got the id of a dead one is not taken for it', async () => {
  await mkdir(join(within, `${prefixOf(`${process.pid}@an earlier start`)}abcdef`));
  await removeAbandoned(within);
  expect(await names()).toEqual([]);
});

test('what is of this process, of another machine, or of somebody else stays', async () => {
  const own = await privateFolder(within);
  const dead = prefixOf('4194304@1');
  const kept = [
    basename(own),
    // Another machine; an older version; a file; a folder that is none of these.
    `${dead.replace(/^etl-rows-[0-9a-f]{8}/, 'etl-rows-00000000')}abcdef`,
    'etl-rows-abcdef',
    'others',
  ];
  for (const name of kept.slice(1)) await mkdir(join(within, name));
  await writeFile(join(within, `${dead}ghijkl`), '');
  await removeAbandoned(within);
  expect(await names()).toEqual([...kept, `${dead}ghijkl`].sort());
});

test('the first folder that is made in a place removes what is abandoned there', async () => {
  await mkdir(join(within, `${prefixOf('4194304@1')}abcdef`));
  const own = await privateFolder(within);
  expect(await names()).toEqual([basename(own)]);
});

test('a place that is not there says so', async () => {
  await expect(privateFolder(join(within, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});
