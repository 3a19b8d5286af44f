import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateWish {
  readonly name: string;
  /** Who signs it; itself by default. */
  readonly issuer?: Authority;
  /** Names and IPv4 addresses that it is for. */
  readonly hosts?: readonly string[];
  readonly validFrom?: Date;
  readonly validTo?: Date;
}

export interface Authority extends Certificate {
  readonly name: string;
  readonly signer: KeyObject;
}

/**
 * An X.509 certificate (RFC 5280) with a P-256 key, made here: node:crypto signs bytes but makes no
 * certificates, and a test that needs the openssl program would be skipped where there is none.
 */
export function createCertificate(wish: CertificateWish): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = wish.issuer ?? { name: wish.name, signer: privateKey };
  const isAuthority = wish.hosts === undefined;
  const usual = Date.now();
  const content = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.from([1 + Math.floor(Math.random() * 126)])),
    ECDSA_SHA256,
    nameOf(issuer.name),
    sequence(
      timeOf(wish.validFrom ?? new Date(usual - 86_400_000)),
      timeOf(wish.validTo ?? new Date(usual + 86_400_000)),
    ),
    nameOf(wish.name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(isAuthority ? AUTHORITY : hostsExtension(wish.hosts ?? []))),
  );
  const signature = sign('sha256', content, issuer.signer);
  const der = sequence(content, ECDSA_SHA256, tagged(0x03, Buffer.from([0]), signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    name: wish.name,
    signer: privateKey,
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** DER: tag, length, content. */
function tagged(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return tagged(0x30, ...contents);
}

function identifier(...bytes: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes));
}

/** 1.2.840.10045.4.3.2 */
const ECDSA_SHA256 = sequence(identifier(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

/** One common name, 2.5.4.3. */
function nameOf(name: string): Buffer {
  const common = sequence(identifier(0x55, 0x04, 0x03), tagged(0x0c, Buffer.from(name)));
  return sequence(tagged(0x31, common));
}

/** GeneralizedTime, by seconds. */
function timeOf(date: Date): Buffer {
  const text = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return tagged(0x18, Buffer.from(text));
}

/** basicConstraints, critical: it may sign others. */
const AUTHORITY = sequence(
  identifier(0x55, 0x1d, 0x13),
  tagged(0x01, Buffer.from([0xff])),
  tagged(0x04, sequence(tagged(0x01, Buffer.from([0xff])))),
);

/** subjectAltName. */
function hostsExtension(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    /^[\d.]+$/.test(host)
      ? tagged(0x87, Buffer.from(host.split('.').map(Number)))
      : tagged(0x82, Buffer.from(host)),
  );
  return sequence(identifier(0x55, 0x1d, 0x11), tagged(0x04, sequence(...names)));
}
