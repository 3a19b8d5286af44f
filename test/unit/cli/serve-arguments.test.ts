import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { main } from '../../../src/cli/etl.ts';
import { scripted, worldOf } from './scripted-engine.ts';

const about = { version: '1.2.3', width: 100 };

async function refusal(...argv: string[]): Promise<string> {
  const { world, err } = worldOf();
  expect(await main(argv, world, scripted().engine)).toBe(2);
  return err();
}

test('serve takes its jobs, and how much it may take', async () => {
  expect(await parseArguments(['serve', '--config', 'jobs.json'], about)).toMatchObject({
    command: 'serve',
    serve: {
      ...{ configPath: 'jobs.json', host: '127.0.0.1', port: 8080, tokenFile: null },
      ...{ openMetrics: false, bodyBytesMax: 100e6, queueMax: 1000, spool: 'spool' },
      ...{ spoolBytesMax: 10e9, connectionsMax: 8, quiet: false, verbose: false, overrides: [] },
    },
  });
  const sizes = ['--body-limit', '2GB', '--spool-limit', '5000', '--queue', '7', '--port', '0'];
  const words = [
    ...sizes,
    '--open-metrics',
    '--token-file',
    't',
    '--database-url',
    'postgres://h/d',
  ];
  expect(await parseArguments(['serve', '--config', 'j', ...words], about)).toMatchObject({
    serve: {
      ...{ bodyBytesMax: 2e9, spoolBytesMax: 5000, queueMax: 7, port: 0, openMetrics: true },
      ...{ tokenFile: 't', overrides: [{ path: ['databaseUrl'], value: 'postgres://h/d' }] },
    },
  });
});

test('words that it does not know, or cannot take, are refused', async () => {
  expect(await refusal('serve')).toContain('No jobs are named.');
  expect(await refusal('serve', 'jobs.json')).toContain('etl serve takes no "jobs.json"');
  expect(await refusal('serve', '--config', 'x', '--prot', '1')).toContain('--port');
  expect(await refusal('serve', '--config', 'x', '--port', '70000')).toContain('from 0 to 65535');
  expect(await refusal('serve', '--config', 'x', '--connections', '2')).toContain('from 3 to 64');
  for (const size of ['0', '5 MB', '1XB', '-1', 'much']) {
    expect(await refusal('serve', '--config', 'x', '--body-limit', size)).toContain(
      'is not a size',
    );
  }
  expect(await refusal('serv')).toContain('etl serve');
});

test('an address that others reach needs a token of the operator’s', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'etl-serve-'));
  await writeFile(join(folder, 'jobs.json'), '{ "jobs": { "a": { "table": "t" } } }');
  const { world, err } = worldOf({}, folder);
  const script = scripted();
  const argv = ['serve', '--config', 'jobs.json', '--host', '0.0.0.0'];
  expect(await main(argv, world, script.engine)).toBe(2);
  expect(err()).toContain('--host 0.0.0.0 can be reached by others, and there is no token');
  expect(script.calls).toEqual([]);
  await rm(folder, { recursive: true });
});
