import { describe, expect, it } from 'vitest';
import { createEventStream } from '../../../src/run/event-stream.ts';

async function read<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const events: T[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

describe('a stream of events', () => {
  it('gives all to who reads from the first, before and after the end, in their order', async () => {
    const stream = createEventStream<number>(3);
    const reading = read(stream);
    for (let event = 0; event < 10; event++) stream.emit(event);
    await Promise.resolve();
    stream.emit(10);
    stream.end();
    await expect(reading).resolves.toEqual(Array.from({ length: 11 }, (_, event) => event));
  });

  it('waits for an event that is yet to come', async () => {
    const stream = createEventStream<string>(3);
    const reading = read(stream);
    for (const event of ['late', 'later']) {
      await new Promise((resolve) => setImmediate(resolve));
      stream.emit(event);
    }
    await new Promise((resolve) => setImmediate(resolve));
    stream.end();
    await expect(reading).resolves.toEqual(['late', 'later']);
  });

  it('keeps the last few while nobody reads', async () => {
    const stream = createEventStream<number>(3);
    for (let event = 0; event < 10; event++) stream.emit(event);
    stream.end();
    await expect(read(stream)).resolves.toEqual([7, 8, 9]);
  });
});
