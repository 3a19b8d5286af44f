/** Text measured in terminal columns, not in characters: `日` takes two, an accent takes none. */

/** Made with the first text that needs it: most are ASCII, and the first of Intl costs 13 ms. */
let graphemes: Intl.Segmenter | null = null;
const ASCII = /^[\x20-\x7e]*$/u;
/** East Asian wide and fullwidth blocks, and what is an emoji without being asked to be one. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\u3247\u3250-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}])/u;
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]/u;
/** Asks for the emoji's form of the character before it. */
const EMOJI_SELECTOR = '\ufe0f';

/** Columns that the text takes. Free of control characters and colours: see `safeText`. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  return splitGraphemes(text).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);
}

/** `a-very-lo…e-name.csv`: at most `width` columns; the end of a file's name says the most. */
export function cutMiddle(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 1) return width === 1 ? '…' : '';
  const parts = splitGraphemes(text);
  const headWidth = Math.floor((width - 1) * 0.4);
  const head = takeWidth(parts, headWidth);
  const tail = takeWidth(parts.toReversed(), width - 1 - displayWidth(head.join('')));
  return `${head.join('')}…${tail.toReversed().join('')}`;
}

/** The beginning of the text, with `…` where it was cut. */
export function cutEnd(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 1) return width === 1 ? '…' : '';
  return `${takeWidth(splitGraphemes(text), width - 1).join('')}…`;
}

/** Padded with spaces on the right. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Breaks at spaces, but for the one in `95 %`; a longer word is broken, too. At least one line. */
export function wrapText(text: string, width: number): readonly string[] {
  // Two columns hold any character, so that the breaking ends.
  const lineWidth = Math.max(2, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ (?!%)/u)) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (displayWidth(joined) <= lineWidth) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (displayWidth(line) > lineWidth) {
      const head = takeWidth(splitGraphemes(line), lineWidth).join('');
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  lines.push(line);
  return lines;
}

function splitGraphemes(text: string): readonly string[] {
  graphemes ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(graphemes.segment(text), (part) => part.segment);
}

function takeWidth(parts: readonly string[], width: number): readonly string[] {
  let used = 0;
  const end = parts.findIndex((part) => {
    used += graphemeWidth(part);
    return used > width;
  });
  return end === -1 ? parts : parts.slice(0, end);
}

function graphemeWidth(grapheme: string): number {
  if (grapheme.includes(EMOJI_SELECTOR) || WIDE.test(grapheme)) return 2;
  return ZERO.test(grapheme) ? 0 : 1;
}
