// Varints of the negentropy protocol: base 128, most significant digit first, every byte but the
// last with its high bit set (NIP-77, appendix).

const DIGIT = 128;

/** Returns the varint of an integer from 0 to 2^53 - 1. */
export function varintBytes(value: number): Uint8Array {
  const digits = [value % DIGIT];
  for (let rest = Math.floor(value / DIGIT); rest > 0; rest = Math.floor(rest / DIGIT)) {
    digits.push((rest % DIGIT) + DIGIT);
  }
  return Uint8Array.from(digits.reverse());
}
