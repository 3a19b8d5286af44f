import {
  EXIT,
  errorRecordOf,
  describeError,
  EtlError,
  exitCodeOf,
  type ExitCode,
} from '../errors.ts';
import { redactUrl } from '../job/database-choice.ts';
import { safeLines, safeText } from '../report/safe-text.ts';
import { parseArguments, type Invocation } from './arguments.ts';
import { benchmarkCommand } from './benchmark.ts';
import { dbCommand } from './db.ts';
import { doctorCommand } from './doctor.ts';
import { loadEngine, type Engine } from './engine.ts';
import { hasPassword, PASSWORD_NOTICE } from './hide-password.ts';
import { historyCommand } from './history.ts';
import { planCommand } from './plan.ts';
import { runCommand } from './run.ts';
import { serveCommand } from './serve.ts';
import { tuneCommand } from './tune.ts';
import { verifyCommand } from './verify.ts';
import { packageVersion } from './version.ts';
import { commandOf, widthOf, type World } from './world.ts';

/** The command line: from the words after `etl` to the exit code. Never throws. */
export async function main(
  argv: readonly string[],
  world: World,
  engine: () => Promise<Engine> = loadEngine,
): Promise<ExitCode> {
  const verbose = argv.includes('--verbose');
  try {
    const about = { version: await packageVersion(), width: widthOf(world.stdout) };
    const invocation = await parseArguments(argv, about);
    if (hasPassword(argv) && !argv.includes('--quiet')) world.stderr.write(PASSWORD_NOTICE);
    const code = await dispatch(invocation, world, engine);
    if (code === EXIT.interrupted) tellHowToResume(argv, world);
    return code;
  } catch (error) {
    // Whatever breaks once Ctrl-C was pressed, breaks because of it.
    if (world.signal.aborted) {
      world.stderr.write('etl: Interrupted; what was not finished is rolled back.\n');
      if (argv[0] === 'run' || argv[0] === 'plan') tellHowToResume(argv, world);
      return EXIT.interrupted;
    }
    return tellError(error, verbose, world);
  }
}

async function dispatch(
  invocation: Invocation,
  world: World,
  engine: () => Promise<Engine>,
): Promise<ExitCode> {
  switch (invocation.command) {
    case 'text':
      world.stdout.write(invocation.text);
      return EXIT.ok;
    case 'run':
      return runCommand(invocation.load, world, engine);
    case 'plan':
      return planCommand(invocation.load, world, engine);
    case 'history':
      return historyCommand(invocation.history, world, engine);
    case 'verify':
      return verifyCommand(invocation.load, invocation.wholeTable, world, engine);
    case 'doctor':
      return doctorCommand(invocation.doctor, world, engine);
    case 'benchmark':
      return invocation.benchmark.configPath === null
        ? benchmarkCommand(invocation.benchmark, world)
        : tuneCommand(invocation.benchmark, invocation.benchmark.configPath, world, engine);
    case 'serve':
      return serveCommand(invocation.serve, world, engine);
    case 'db':
      return dbCommand(invocation.action, world, await engine());
  }
}

function tellError(error: unknown, verbose: boolean, world: World): ExitCode {
  const record = errorRecordOf(error);
  const tell = (text: string) => world.stderr.write(`${safeLines(redactUrl(text)).join('\n')}\n`);
  tell(`etl: ${describeError(record)}`);
  const cause = error instanceof EtlError ? error.cause : error;
  if (verbose && cause instanceof Error) tell(cause.stack ?? cause.message);
  return exitCodeOf(record);
}

/** The ledger knows what is loaded, so the command that resumes is the command itself. */
function tellHowToResume(argv: readonly string[], world: World): void {
  const words = argv.map((word) => redactUrl(word)).map(shellWord);
  world.stderr.write(
    `To load the rest, run the same command again:\n  ${commandOf(world.env)} ${words.join(' ')}\n`,
  );
}

function shellWord(word: string): string {
  // Control characters in the shell's own spelling, so that the terminal does not obey them.
  const spelled = safeText(word.replaceAll('\\', '\\\\').replaceAll("'", "\\'"));
  if (safeText(word) !== word) return `$'${spelled}'`;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
