import { EXIT, EtlError, type ExitCode } from '../errors.ts';
import type { DbAction } from './db-arguments.ts';
import type { Engine } from './engine.ts';
import { commandOf, type World } from './world.ts';

/** `etl db`: the embedded PostgreSQL, for any client. */
export async function dbCommand(action: DbAction, world: World, engine: Engine): Promise<ExitCode> {
  const home = engine.embeddedHome(world.env);
  switch (action) {
    case 'start':
      return start(home, world, engine);
    case 'stop': {
      const stopped = await engine.stopEmbedded(home);
      world.stdout.write(stopped ? 'Stopped; the data stays.\n' : 'It was not running.\n');
      return EXIT.ok;
    }
    case 'status':
      return status(home, world, engine);
    case 'url':
      return url(home, world, engine);
  }
}

async function start(home: string, world: World, engine: Engine): Promise<ExitCode> {
  const server = await engine.startEmbedded({ home, mode: 'standing', signal: world.signal });
  const state = server.startedHere ? 'is started' : 'was running already';
  const etl = commandOf(world.env);
  world.stdout.write(
    `PostgreSQL ${server.version} in ${home} ${state} (process ${server.pid}).\n` +
      `${server.url}\n` +
      `For example: psql "$(${etl} db url)". It runs until "${etl} db stop".\n`,
  );
  await server.release();
  return EXIT.ok;
}

/** Exit code 1 where it does not run, so that a script can ask. */
async function status(home: string, world: World, engine: Engine): Promise<ExitCode> {
  const found = await engine.embeddedStatus(home);
  const stays = found.standing ? 'until "etl db stop"' : 'while a load uses it';
  const lines = {
    running: [`running ${stays} (process ${found.pid ?? 0})`, `url      ${found.url}`],
    stopped: ['stopped; "etl db start" starts it'],
    'not-initialised': ['not made yet; the first load or "etl db start" makes it'],
  }[found.state];
  world.stdout.write(
    [
      `state    ${lines[0] ?? ''}`,
      ...lines.slice(1),
      ...(found.version === null ? [] : [`version  PostgreSQL ${found.version}`]),
      `data     ${found.dataDir} (${(found.bytes / 1024 / 1024).toFixed(1)} MB)`,
      `log      ${found.logPath}`,
      '',
    ].join('\n'),
  );
  return found.state === 'running' ? EXIT.ok : EXIT.failed;
}

/** Only the URL on stdout, for `psql "$(etl db url)"`. */
async function url(home: string, world: World, engine: Engine): Promise<ExitCode> {
  const found = await engine.embeddedStatus(home);
  if (found.state !== 'running') {
    throw new EtlError(
      'ETL_EMBEDDED',
      'The embedded PostgreSQL is not running, so it has no address.',
      'Start it with "etl db start".',
    );
  }
  world.stdout.write(`${found.url}\n`);
  return EXIT.ok;
}
