import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { closeGateSql, FAULTS, untilWaiting } from '../support/faults.ts';
import { useScene } from '../support/scene.ts';
import { TOKEN, withService, type ServeOptions, type ServiceClient } from '../support/service.ts';

/** Who follows an upload, as the EventSource of a browser does: it comes again when a stream ends. */
const scene = useScene(
  (table) =>
    `create table ${table} (id int primary key, name text,
       constraint held check (fault('merge', name)))`,
  FAULTS,
);

const serve = <T>(
  use: (client: ServiceClient) => Promise<T>,
  options: ServeOptions = {},
): Promise<T> => withService(scene, { rows: { table: scene.table } }, use, options);

const HELD = [{ id: 1, name: 'merge gate' }];

/** Field lines of each event, comments left out. */
function eventsOf(text: string): Record<string, string>[] {
  return text.split('\n\n').flatMap((block) => {
    const lines = block.split('\n').filter((line) => line !== '' && !line.startsWith(':'));
    const fields = lines.map((line) => [
      line.slice(0, line.indexOf(': ')),
      line.slice(line.indexOf(': ') + 2),
    ]);
    return fields.length === 0 ? [] : [Object.fromEntries(fields) as Record<string, string>];
  });
}

test('who comes again with the id of the end hears nothing more, and stays away', async () => {
  await serve(async (client) => {
    const { id } = await client.rows('rows', [{ id: 1, name: 'a' }]);
    const [done] = eventsOf(await (await client.get(`/runs/${id}/events`)).text());
    expect(done).toMatchObject({ event: 'done', id: 'done' });
    const again = await client.get(`/runs/${id}/events`, { 'last-event-id': done?.['id'] ?? '' });
    expect([again.status, await again.text()]).toEqual([204, '']);
    const other = await client.get(`/runs/${id}/events`, { 'last-event-id': 'started' });
    expect(eventsOf(await other.text())).toEqual([done]);
  });
});

test('who loses the line on the way is told the whole state when it comes again', async () => {
  const holder = await scene.db.client();
  await holder.query(closeGateSql('merge'));
  await serve(async (client) => {
    const { id } = await client.rows('rows', HELD, '?wait=0');
    await untilWaiting(scene.db, 'merge');
    const lost = new AbortController();
    const headers = { authorization: `Bearer ${TOKEN}` };
    const first = await fetch(`${client.url}/runs/${id}/events`, { headers, signal: lost.signal });
    const reader = (first.body as ReadableStream<Uint8Array>).getReader();
    const [started] = eventsOf(new TextDecoder().decode((await reader.read()).value));
    expect(started?.['event']).toBe('started');
    // It is not over, so that no id says that it is.
    expect(started).not.toHaveProperty('id');
    lost.abort();
    const again = await client.get(`/runs/${id}/events`, { 'last-event-id': 'done' });
    expect(again.status).toBe(200);
    await holder.end();
    const events = eventsOf(await again.text());
    expect([events[0]?.['event'], events.at(-1)?.['event']]).toEqual(['started', 'done']);
    expect(JSON.parse(events.at(-1)?.['data'] ?? '')).toMatchObject({ state: 'loaded' });
  });
});

test(
  'a connection that is opened ahead, and asks nothing, does not keep the service',
  { timeout: 40_000 },
  async () => {
    const socket = await serve(async (client) => {
      const { hostname, port } = new URL(client.url);
      const ahead = connect(Number(port), hostname);
      ahead.on('error', () => undefined);
      await once(ahead, 'connect');
      // The service has taken it once it answers who came later.
      expect((await client.get('/health')).status).toBe(200);
      return ahead;
    });
    if (!socket.closed) await once(socket, 'close');
  },
);
