// Fast BIP-340 signatures for tests with many events.

import { createHash, randomBytes } from 'node:crypto';
import { schnorr } from '@noble/curves/secp256k1.js';
import { requireOptional } from '../../src/lib/optional-package.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const EVEN_Y = 2;

/** Multiplies the generator by a scalar; returns a compressed point of 33 bytes. */
type BasePoint = (scalar: Uint8Array) => Uint8Array;

/** Native multiplication of the npm package secp256k1; null if it is not installed. */
const basePoint = ((): BasePoint | null => {
  try {
    const native = requireOptional('secp256k1/bindings.js') as { publicKeyCreate: BasePoint };
    return (scalar) => native.publicKeyCreate(scalar);
  } catch {
    return null;
  }
})();

/**
 * Returns a function that signs ids (hex) with a secret key. Signatures are valid (BIP-340) and
 * take some 80 µs instead of the milliseconds of @noble/curves, so that a test can have very many
 * events. The nonce is not made as for real keys.
 */
export function signer(secret: Uint8Array): (id: string) => string {
  if (basePoint === null) {
    return (id) => Buffer.from(schnorr.sign(Buffer.from(id, 'hex'), secret)).toString('hex');
  }
  const multiply = basePoint;
  const { scalar, x: pubkey } = even(multiply, bigOf(secret));
  const tag = createHash('sha256').update('BIP0340/challenge').digest();
  return (id) => {
    const message = Buffer.from(id, 'hex');
    const nonce = createHash('sha256').update(secret).update(randomBytes(32)).digest();
    const { scalar: k, x: r } = even(multiply, bigOf(nonce) % ORDER);
    const challenge = createHash('sha256').update(tag).update(tag);
    const e = bigOf(challenge.update(r).update(pubkey).update(message).digest()) % ORDER;
    return r.toString('hex') + hexOf((k + e * scalar) % ORDER);
  };
}

/** Returns the scalar or its negative, whichever has a point with an even y, and the x of it. */
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
