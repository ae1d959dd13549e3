import { createHash, hash } from 'node:crypto';
import { schnorr } from '@noble/curves/secp256k1.js';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { requireOptional } from '../../src/protocol/signature/optional-package.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const EVEN_Y = 2;

/** Multiplies the generator with a scalar: a compressed point of 33 bytes. */
type BasePoint = (scalar: Uint8Array) => Uint8Array;

/** The native multiplication of the npm package secp256k1; null where it is not installed. */
const basePoint = ((): BasePoint | null => {
  try {
    const native = requireOptional('secp256k1/bindings.js') as { publicKeyCreate: BasePoint };
    return (scalar) => native.publicKeyCreate(scalar);
  } catch {
    return null;
  }
})();

/**
 * An author for tests that need very many signed events: some 100 µs each instead of the milliseconds
 * that @noble/curves takes. Signatures are valid (BIP-340); the nonce is no example for real keys.
 */
export class Signer {
  readonly pubkey: string;
  readonly #secret: Uint8Array;
  /** The secret whose point has an even y. */
  readonly #even: bigint;

  constructor(name: string) {
    this.#secret = new Uint8Array(createHash('sha256').update(name).digest());
    this.pubkey = Buffer.from(schnorr.getPublicKey(this.#secret)).toString('hex');
    this.#even = basePoint ? even(basePoint, bigOf(this.#secret)).scalar : 0n;
  }

  /** A signed event. */
  event(draft: Partial<Pick<NostrEvent, 'created_at' | 'kind' | 'tags' | 'content'>>): NostrEvent {
    const { created_at = Math.floor(Date.now() / 1000), kind = 1, tags = [], content = '' } = draft;
    const { pubkey } = this;
    const id = hash('sha256', JSON.stringify([0, pubkey, created_at, kind, tags, content]));
    return { id, pubkey, created_at, kind, tags, content, sig: this.sign(id) };
  }

  /** The signature of an id, hex. */
  sign(id: string): string {
    const message = Buffer.from(id, 'hex');
    if (basePoint === null) {
      return Buffer.from(schnorr.sign(message, this.#secret, new Uint8Array(32))).toString('hex');
    }
    const seed = createHash('sha256').update(this.#secret).update(message).digest();
    const { scalar: k, x: r } = even(basePoint, bigOf(seed) % ORDER);
    const tag = createHash('sha256').update('BIP0340/challenge').digest();
    const challenge = createHash('sha256');
    for (const part of [tag, tag, r, Buffer.from(this.pubkey, 'hex'), message]) {
      challenge.update(part);
    }
    const e = bigOf(challenge.digest()) % ORDER;
    return r.toString('hex') + hexOf((k + e * this.#even) % ORDER);
  }
}

/** The scalar or its negative, whichever has a point with an even y, and that point's x. */
function even(multiply: BasePoint, scalar: bigint): { scalar: bigint; x: Buffer } {
  const point = Buffer.from(multiply(Buffer.from(hexOf(scalar), 'hex')));
  return { scalar: point[0] === EVEN_Y ? scalar : ORDER - scalar, x: point.subarray(1) };
}

function bigOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function hexOf(scalar: bigint): string {
  return scalar.toString(16).padStart(64, '0');
}
