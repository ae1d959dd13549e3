import { schnorr } from '@noble/curves/secp256k1.js';

// Signing has a file of its own so that threads which only verify do not load @noble/curves.

/**
 * Signs a 32-byte message (for an event its id) with a 32-byte secret key; returns 64 bytes (BIP-340).
 * `auxRand`, 32 bytes, is fresh randomness unless a test needs the same signature every time.
 * Throws if the secret key is zero or not below the curve order.
 */
export function sign(message: Uint8Array, secretKey: Uint8Array, auxRand?: Uint8Array): Uint8Array {
  return schnorr.sign(message, secretKey, auxRand);
}

/** The x-only public key, 32 bytes, of a 32-byte secret key. Throws on an unusable secret key. */
export function publicKey(secretKey: Uint8Array): Uint8Array {
  return schnorr.getPublicKey(secretKey);
}
