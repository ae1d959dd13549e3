// Signature backend in JavaScript, as the fallback.

import { packageVersion } from '../../lib/optional-package.ts';
import type { SignatureBackend } from './backend.ts';

/**
 * Loads the backend that is always available: @noble/curves, in JavaScript. It is imported only
 * when chosen, because it costs a thread about 40 ms and 11 MB.
 */
export async function loadNoble(): Promise<SignatureBackend> {
  const { schnorr } = await import('@noble/curves/secp256k1.js');
  return {
    name: 'noble',
    detail: `@noble/curves ${packageVersion('@noble/curves/secp256k1.js')} (JavaScript, slow)`,
    verify(sig, message, pubkey) {
      if (sig.length !== 64 || message.length !== 32 || pubkey.length !== 32) return false;
      return schnorr.verify(sig, message, pubkey);
    },
  };
}
