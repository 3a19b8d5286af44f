import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { EtlError } from '../errors.ts';
import type { Environment } from '../job/database-choice.ts';

/** What clients must show. */
export interface Token {
  readonly secret: string;
  /** It was made for this process, so somebody must be told. */
  readonly made: boolean;
}

const CHARACTERS_MIN = 16;
const CHARACTERS_MAX = 1_000;

/**
 * The token of a file, else of ETL_SERVE_TOKEN, else a new one.
 *
 * @throws EtlError ETL_USAGE where it cannot be read, is too short, or has characters that a header has not
 */
export async function chooseToken(file: string | null, env: Environment): Promise<Token> {
  if (file !== null) {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      const { code } = error as NodeJS.ErrnoException;
      throw refused(`The token file ${file} cannot be read (${code ?? 'unknown'})`);
    });
    return { secret: checked(text.trim(), 'The token file'), made: false };
  }
  const given = env['ETL_SERVE_TOKEN'] ?? '';
  if (given !== '') return { secret: checked(given, 'ETL_SERVE_TOKEN'), made: false };
  return { secret: randomBytes(32).toString('base64url'), made: true };
}

function checked(secret: string, where: string): string {
  const { length } = secret;
  if (length < CHARACTERS_MIN) throw refused(`${where} has less than ${CHARACTERS_MIN} characters`);
  if (length > CHARACTERS_MAX) throw refused(`${where} has more than ${CHARACTERS_MAX} characters`);
  if (!/^[\x21-\x7e]+$/.test(secret)) throw refused(`${where} has spaces, or more than ASCII`);
  return secret;
}

function refused(what: string): EtlError {
  return new EtlError('ETL_USAGE', `${what}.`, 'Make one, for example by: openssl rand -hex 32.');
}

/**
 * Whether an Authorization header shows the token. Hashes of one length are compared, in a time that
 * tells nothing of where they differ, nor of how long the token is.
 */
export function createTokenCheck(secret: string): (header: string | undefined) => boolean {
  const expected = hashOf(secret);
  return (header) => {
    const shown = /^bearer +(\S+) *$/i.exec(header ?? '')?.[1];
    return timingSafeEqual(hashOf(shown ?? ''), expected) && shown !== undefined;
  };
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Whether only this machine reaches the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
