// Signature backend on the npm package secp256k1: computes BIP-340 verification with its ECDSA
// functions.

import { createHash, hash } from 'node:crypto';
import { packageVersion, requireOptional } from '../../lib/optional-package.ts';
import type { SignatureBackend } from './backend.ts';

/**
 * Part of the npm package secp256k1 that is used; it implements ECDSA but not BIP-340. Points are
 * 33 bytes (compressed), scalars 32. All functions throw on input they cannot work with.
 */
export interface NativeSecp256k1 {
  ecdsaRecover(
    sig: Uint8Array,
    recoveryId: number,
    message: Uint8Array,
    compressed: true,
    output: Uint8Array,
  ): Uint8Array;
  publicKeyCreate(scalar: Uint8Array): Uint8Array;
  publicKeyTweakMul(point: Uint8Array, scalar: Uint8Array): Uint8Array;
  publicKeyCombine(points: Uint8Array[]): Uint8Array;
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const EVEN_Y = 2;

/**
 * Loads the package's native build.
 *
 * @throws Error that says what is missing.
 */
export function loadNpmSecp256k1(): SignatureBackend {
  // The package's index falls back to a JavaScript library when the native build does not load;
  // bindings.js is the native build or nothing.
  const native = requireOptional('secp256k1/bindings.js') as NativeSecp256k1;
  return {
    name: 'secp256k1',
    detail: `secp256k1 ${packageVersion('secp256k1/bindings.js')} (npm, native)`,
    verify: verifier(native),
  };
}

function verifier(native: NativeSecp256k1): SignatureBackend['verify'] {
  const nonceByRecovery = recoverNonce(native);
  const tag = createHash('sha256').update('BIP0340/challenge').digest();
  // Preimage of the challenge: tag, tag, r, key, message.
  const hashed = new Uint8Array(new ArrayBuffer(160));
  hashed.set(tag, 0);
  hashed.set(tag, 32);

  return (sig, message, pubkey) => {
    if (sig.length !== 64 || message.length !== 32 || pubkey.length !== 32) return false;
    const s = readScalar(sig, 32);
    if (s >= ORDER) return false;
    for (let at = 0; at < 32; at += 1) hashed[64 + at] = sig[at] ?? 0;
    hashed.set(pubkey, 96);
    hashed.set(message, 128);
    const e = BigInt(`0x${hash('sha256', hashed, 'hex')}`) % ORDER;
    const x = readScalar(pubkey, 0);
    let nonce: Uint8Array;
    try {
      nonce = canRecover(x, e) ? nonceByRecovery(x, s, e) : sumNonce(native, pubkey, s, e);
    } catch {
      // x is not on the curve, or the point is at infinity.
      return false;
    }
    // The point's x is below the field size, so this also rejects every r that is not.
    if (nonce[0] !== EVEN_Y) return false;
    for (let at = 0; at < 32; at += 1) if (nonce[1 + at] !== sig[at]) return false;
    return true;
  };
}

/**
 * Returns true if ECDSA can express the input: a key below the order, and a product other than
 * zero.
 */
function canRecover(x: bigint, e: bigint): boolean {
  return x !== 0n && x < ORDER && e !== 0n;
}

/**
 * Returns a function that computes R = s·G − e·P, where P is the point with an even y at `x`,
 * and returns its compressed form in a buffer that the next call overwrites. It throws if there is
 * no P or if R is at infinity; `x` and `e` must be as `canRecover` requires.
 *
 * ECDSA recovers a signer's key from a signature (r', s') of z as (s'·P' − z·G) / r', where P'
 * is the point whose x is r'. With r' = x, s' = −e·x and z = −s·x that key is R, in one
 * native call.
 */
export function recoverNonce(
  native: NativeSecp256k1,
): (x: bigint, s: bigint, e: bigint) => Uint8Array {
  const sig = new Uint8Array(new ArrayBuffer(64));
  const z = new Uint8Array(new ArrayBuffer(32));
  const output = new Uint8Array(new ArrayBuffer(33));
  return (x, s, e) => {
    const minusX = ORDER - x;
    writeScalar(sig, 0, x);
    writeScalar(sig, 32, (e * minusX) % ORDER);
    writeScalar(z, 0, (s * minusX) % ORDER);
    return native.ecdsaRecover(sig, 0, z, true, output);
  };
}

/**
 * Computes R = s·G − e·P by plain sums, for the keys and challenges that recovery cannot
 * express. They do not occur by chance; with this the answer is exact for all of them.
 *
 * @throws as the function of `recoverNonce` does.
 */
export function sumNonce(
  native: NativeSecp256k1,
  pubkey: Uint8Array,
  s: bigint,
  e: bigint,
): Uint8Array {
  const point = Uint8Array.of(EVEN_Y, ...pubkey);
  const scalar = new Uint8Array(32);
  const summands: Uint8Array[] = [];
  if (s !== 0n) {
    writeScalar(scalar, 0, s);
    summands.push(native.publicKeyCreate(scalar));
  }
  // The multiplication is always done, because it throws if x is not on the curve; by one if e is
  // zero.
  writeScalar(scalar, 0, e === 0n ? 1n : ORDER - e);
  const product = native.publicKeyTweakMul(point, scalar);
  if (e !== 0n) summands.push(product);
  return native.publicKeyCombine(summands);
}

function readScalar(bytes: Uint8Array, at: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 32);
  return (
    (view.getBigUint64(0) << 192n) |
    (view.getBigUint64(8) << 128n) |
    (view.getBigUint64(16) << 64n) |
    view.getBigUint64(24)
  );
}

function writeScalar(bytes: Uint8Array, at: number, value: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 32);
  view.setBigUint64(0, value >> 192n);
  view.setBigUint64(8, value >> 128n);
  view.setBigUint64(16, value >> 64n);
  view.setBigUint64(24, value);
}
