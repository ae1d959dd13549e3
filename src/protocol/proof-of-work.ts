// Proof of work (NIP-13).

import type { NostrEvent } from './event.ts';

/**
 * Returns the number of leading zero bits of an id (64 hex characters), which is its difficulty
 * (NIP-13).
 */
export function leadingZeroBits(id: string): number {
  for (let at = 0; at < id.length; at++) {
    const digit = Number.parseInt(id.charAt(at), 16);
    if (digit !== 0) return at * 4 + Math.clz32(digit) - 28;
  }
  return id.length * 4;
}

/**
 * Returns the target that the event commits to in its first `nonce` tag, or null when it has no
 * such tag or no number there. A lower committed target than required means that the difficulty was
 * reached by luck (NIP-13).
 */
export function committedTarget({ tags }: NostrEvent): number | null {
  for (const [name, , target] of tags) {
    if (name !== 'nonce') continue;
    return target !== undefined && /^\d{1,3}$/.test(target) ? Number(target) : null;
  }
  return null;
}
