import { isNoRoom } from '../errors.ts';
import { Refusal } from './refusal.ts';

/**
 * What the disk says is no fault of the client: the request is refused, and the service goes on. `folder`:
 * of the spool, for whoever looks after it. Errors of others are thrown as they are.
 *
 * @throws Refusal 507 where there is no room, 503
 */
export function cannotKeep(folder: string): (error: unknown) => never {
  return (error) => {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new Refusal(
      isNoRoom(error) ? 507 : 503,
      `The spool cannot be written: ${code ?? syscall}.`,
      'Check the disk of the service, then send it again: nothing of it was kept.',
      { facts: { file: folder } },
    );
  };
}
