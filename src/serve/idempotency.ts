import { digest } from '../plan/canonical-json.ts';
import { LIMITS } from '../limits.ts';
import type { ReceivedFile } from './receive-upload.ts';
import { Refusal } from './refusal.ts';

/** How a client says that a request is the same one, sent again. Plain JSON: the journal has it. */
export interface IdempotencyKey {
  readonly key: string;
  /** What was sent under it: SHA-256, hex. */
  readonly body: string;
}

/**
 * The key of a request; null where it has none.
 *
 * @throws Refusal 400 for what is no key
 */
export function idempotencyKeyOf(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const key = typeof header === 'string' ? header.trim() : '';
  const max = LIMITS.serveKeyCharactersMax;
  if (/^[\x21-\x7e]+$/.test(key) && key.length <= max) return key;
  throw new Refusal(
    400,
    `Idempotency-Key is one word of 1 to ${max} visible ASCII characters.`,
    'Send one that is new for each upload, such as a UUID, and the same one when you send it again.',
    { facts: { limit: max } },
  );
}

/** What a request means to load: two with the same one are the same request. */
export function bodyDigest(
  { id, kind, alone }: { readonly id: string; readonly kind: string; readonly alone: boolean },
  received: readonly ReceivedFile[],
): string {
  const files = received.map(({ base, name, contentHash }) => [
    base.slice(id.length),
    name,
    contentHash,
  ]);
  return digest({ kind, alone, files });
}

/** The uploads that came with a key, for as long as they are known. */
export interface KeyedUploads {
  /**
   * The id of the upload that came under the key, once it is on disk, where there is one.
   *
   * @throws Refusal 422 where it had another body
   */
  readonly find: (job: string, asked: IdempotencyKey) => Promise<string> | null;
  /** `durable`: rejects where it could not be written, and is not the service's. */
  add(upload: KeyedUpload, durable?: Promise<unknown>): void;
  forget(upload: KeyedUpload): void;
}

interface KeyedUpload {
  readonly id: string;
  readonly job: string;
  /** ISO 8601, UTC. */
  readonly acceptedAt: string;
  readonly idempotency?: IdempotencyKey;
}

export function createKeyedUploads(now: () => Date): KeyedUploads {
  const known = new Map<string, { readonly upload: KeyedUpload; readonly id: Promise<string> }>();
  const place = (job: string, { key }: IdempotencyKey): string => `${job} ${key}`;
  const find: KeyedUploads['find'] = (job, asked) => {
    const found = known.get(place(job, asked));
    if (found === undefined) return null;
    const { idempotency, acceptedAt } = found.upload;
    if (now().getTime() - Date.parse(acceptedAt) > LIMITS.serveKeyMs) return null;
    if (idempotency?.body === asked.body) return found.id;
    throw new Refusal(
      422,
      `The Idempotency-Key ${JSON.stringify(asked.key)} came with another body before.`,
      'Give each upload a key of its own; only what is sent again has the same.',
    );
  };
  return {
    find,
    add: (upload, durable = Promise.resolve()) => {
      if (upload.idempotency === undefined) return;
      const id = durable.then(() => upload.id);
      // As a rule nobody asks.
      id.catch(() => undefined);
      known.set(place(upload.job, upload.idempotency), { upload, id });
    },
    forget: ({ id, job, idempotency }) => {
      if (idempotency === undefined) return;
      const at = place(job, idempotency);
      if (known.get(at)?.upload.id === id) known.delete(at);
    },
  };
}
