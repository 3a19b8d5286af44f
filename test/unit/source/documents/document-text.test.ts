import { describe, expect, it } from 'vitest';
import { textReader } from '../../../../src/source/documents/document-text.ts';

/** The text of a content that lies in the middle of other bytes, or why there is none. */
function read(encoding: string, content: Buffer): string {
  const bytes = Buffer.concat([Buffer.from([0xff]), content, Buffer.from([0, 0xff])]);
  const text = textReader(encoding)(bytes, 1, 1 + content.length);
  return typeof text === 'string'
    ? text
    : `= ${Buffer.from(text.bytes).toString('utf8', text.start, text.end)}`;
}

describe('the text of a document', () => {
  it.each<[string, Buffer, string]>([
    ['utf8', Buffer.from('ä€𝄞\n\t\\'), '= ä€𝄞\n\t\\'],
    ['utf8', Buffer.alloc(0), '= '],
    ['utf8', Buffer.from('\ufeffmarked'), '= marked'],
    ['utf8', Buffer.from([0xef, 0xbb]), 'the content has bytes that are not UTF-8'],
    ['utf8', Buffer.from([0x61, 0xe4]), 'the content has bytes that are not UTF-8'],
    ['utf8', Buffer.from('a\0b'), 'the content holds a NUL character'],
    ['latin1', Buffer.from([0xe4, 0x62]), '= äb'],
    ['latin1', Buffer.from([0xe4, 0]), 'the content holds a NUL character'],
    ['latin1', Buffer.from([0x80]), '= \u0080'],
    ['win1252', Buffer.from([0x80, 0x9f]), '= €Ÿ'],
    ['win1252', Buffer.from([0x81]), 'the content has bytes that are not win1252'],
    ['utf16le', Buffer.from('\ufeffä€', 'utf16le'), '= ä€'],
    ['utf16le', Buffer.from('a\0', 'utf16le'), 'the content holds a NUL character'],
    ['utf16le', Buffer.from([0x00, 0xd8, 0x61]), 'the content has bytes that are not utf16le'],
    ['sjis', Buffer.from([0x82, 0xa0]), '= あ'],
  ])('in %s: %j', (encoding, content, text) => {
    expect(read(encoding, content).startsWith(text)).toBe(true);
    if (text.startsWith('= ')) expect(read(encoding, content)).toBe(text);
  });
});
