// Self-test of a signature backend before it is used.

import type { SignatureBackend } from './backend.ts';

const MESSAGE = 'f08a6c07cf25fb2056178d3d60b611a47258b3c57702e3cec78b57529caea82e';
const PUBKEY = '06fbc7ef0a30d4164cd5a317872341b48606b69d7f085c2f99a0bdf90cbf5bc8';
const SIG =
  '0ab849110f43639cb852995498ff5849e25f323110146b16996e96ff8da1c9d8' +
  '210049079842676479cbc7cb0056119f32b71422146bb7036c8c3683ec5e2cb7';

/**
 * Tests a backend on a valid signature and on five corrupted ones (a bit flipped in each half of
 * the signature, in the message and in the key; all zeroes), then on the valid one again.
 *
 * Returns a description of the fault, or undefined. About 8 ms for the slowest backend.
 */
export function selfTestFault(backend: Pick<SignatureBackend, 'verify'>): string | undefined {
  const sig = Buffer.from(SIG, 'hex');
  const message = Buffer.from(MESSAGE, 'hex');
  const pubkey = Buffer.from(PUBKEY, 'hex');
  if (!backend.verify(sig, message, pubkey)) return 'it refuses a valid signature';
  const corrupted: [string, Uint8Array, Uint8Array, Uint8Array][] = [
    ['r', flipped(sig, 7), message, pubkey],
    ['s', flipped(sig, 60), message, pubkey],
    ['message', sig, flipped(message, 31), pubkey],
    ['key', sig, message, flipped(pubkey, 0)],
    ['everything', new Uint8Array(64), new Uint8Array(32), new Uint8Array(32)],
  ];
  for (const [what, ...input] of corrupted) {
    if (backend.verify(...input)) return `it accepts a signature with a wrong ${what}`;
  }
  if (!backend.verify(sig, message, pubkey)) return 'it refuses a valid signature seen before';
  return undefined;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
