import { totalmem } from 'node:os';

/**
 * Memory of the machine that the server runs on, in bytes: of this one, within what a container may
 * use, where the server is the embedded one or answers over a unix socket. An address of 127.0.0.1
 * proves nothing, since tunnels end there. Null where it is not known.
 */
export function serverMemoryBytes(server: {
  readonly embedded: boolean;
  readonly address: string;
}): number | null {
  if (!server.embedded && !server.address.startsWith('socket ')) return null;
  // 0, or more than there is, where nothing constrains the process.
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return constrained > 0 ? Math.min(constrained, total) : total;
}
