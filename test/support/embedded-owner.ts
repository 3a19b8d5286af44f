import { createInterface } from 'node:readline';
import { type StartOptions, startEmbedded } from '../../src/embedded/embedded.ts';

/**
 * A process that uses an embedded server, for the tests to end in every way that a process can
 * end. Its argument is the options as JSON. It prints one line for each thing that happened:
 * the server as JSON, `released`, `interrupted`; and obeys the lines `release` and `exit`.
 */
const options = JSON.parse(process.argv[2] ?? '{}') as StartOptions & { ignoreSigint?: boolean };
if (options.ignoreSigint === true) process.on('SIGINT', () => print('interrupted'));

const server = await startEmbedded(options);
print(JSON.stringify(server));

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'release') {
    await server.release();
    print('released');
  }
  if (line === 'exit') break;
}
process.stdin.unref();

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
