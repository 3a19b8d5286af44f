import { Writable } from 'node:stream';

/** A terminal that keeps what it is sent, and knows what it would show. */
export class FakeTerminal extends Writable {
  readonly isTTY = true;
  readonly columns = 100;
  readonly rows = 30;
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }

  /** The lines on the screen: cursor moves and erasing obeyed, the rest of the modes ignored. */
  screen(): readonly string[] {
    const lines: string[][] = [[]];
    let row = 0;
    let column = 0;
    for (const [token, count, command] of this.text.matchAll(
      /\u001b\[(?:\?\d+|(\d*))([A-Za-z])|[^\u001b]/gu,
    )) {
      const line = (lines[row] ??= []);
      if (command === undefined) {
        if (token === '\n') [row, column] = [row + 1, 0];
        else line[column++] = token;
      } else if (command === 'A') row -= Number(count);
      else if (command === 'G') column = Number(count) - 1;
      else if (command === 'K') line.length = count === '2' ? 0 : column;
      else if (command === 'J') [line.length, lines.length] = [column, row + 1];
      else if (command !== 'h' && command !== 'l') throw new Error(`Not known: ${command}`);
    }
    return lines.map((line) =>
      Array.from(line, (cell: string | undefined) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
  }
}
