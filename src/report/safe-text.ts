/**
 * File names, table names and messages come from outside. A terminal obeys the control characters
 * in them: it moves the cursor, renames the window, or shows `gpj.exe` for `exe.jpg`. So they are
 * shown, never sent: C0 and C1 controls and DEL as `\x1b`, the characters that turn the direction
 * of writing, line separators and lone surrogates as `\u202e`.
 */
export function safeText(text: string): string {
  // \p{Cs} matches lone surrogates only: with the flag u a pair is one code point.
  return text.replace(
    /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (character) => {
      const code = character.charCodeAt(0);
      return code <= 0xff
        ? `\\x${code.toString(16).padStart(2, '0')}`
        : `\\u${code.toString(16).padStart(4, '0')}`;
    },
  );
}

/** The same for a text of several lines (DDL, a server's message): its line ends stay. */
export function safeLines(text: string): readonly string[] {
  return text.split(/\r?\n/u).map((line) => safeText(line.replaceAll('\t', '  ')));
}
