/** Cuts a stream of PostgreSQL's protocol into messages (type, length, body), one after another. */
export function createMessageReader(
  onMessage: (message: Buffer) => Promise<unknown>,
): (bytes: Buffer) => Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  return async (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
      const end = 1 + rest.readUInt32BE(1);
      const message = rest.subarray(0, end);
      rest = rest.subarray(end);
      await onMessage(message);
    }
  };
}

/** The first message of a client has no type; what follows goes to `next`. */
export function createStartupReader(
  onStartup: (message: Buffer) => void,
  next: (bytes: Buffer) => Promise<void>,
): (bytes: Buffer) => Promise<void> {
  let startup: Buffer | null = Buffer.alloc(0);
  return async (bytes) => {
    if (startup === null) return next(bytes);
    startup = Buffer.concat([startup, bytes]);
    if (startup.length < 4 || startup.length < startup.readUInt32BE(0)) return undefined;
    const end = startup.readUInt32BE(0);
    onStartup(startup.subarray(0, end));
    const rest = startup.subarray(end);
    startup = null;
    return rest.length > 0 ? next(rest) : undefined;
  };
}
