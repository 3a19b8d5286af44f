import { expect, it } from 'vitest';
import { withoutHead, type PassedHead } from '../../../../src/source/csv/data-chunks.ts';
import { PLAIN_DIALECT } from '../../../../src/source/csv/plain-dialect.ts';
import { textOf } from '../temporary-files.ts';

/** Each chunk is written over once the next one is asked for. */
async function* overwritten(text: string, chunkBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += chunkBytes) {
    const chunk = Buffer.from(text.slice(at, at + chunkBytes));
    yield chunk;
    chunk.fill('#');
  }
}

it('passes over what comes before the data, cut at every byte', async () => {
  const head = '# "\nskipped\n\n"id\n",name\n';
  const data = '1,a\n2,"b\nc"\n';
  const dialect = { ...PLAIN_DIALECT, skipLines: 2, header: true };
  for (let chunkBytes = 1; chunkBytes <= head.length + data.length; chunkBytes++) {
    const passed: PassedHead = { bytes: 0, lines: 0 };
    const read = await textOf(withoutHead(overwritten(head + data, chunkBytes), dialect, passed));
    expect({ chunkBytes, read, ...passed }).toEqual({
      ...{ chunkBytes, read: data, bytes: head.length, lines: 5 },
    });
  }
});
