// Sharing of a bounded resource among addresses.

/** Bytes that an address may hold while nothing is free, until all hold this multiple of `max`. */
const LITTLE_FACTOR = 1.25;

/** Resource, and the parts of it that are held. */
interface Holding {
  readonly max: number;
  /** Amount that all hold together, and this address. */
  readonly used: number;
  readonly held: number;
}

/**
 * Returns true if an address may hold `more`: as much as is still free, so that each of n greedy
 * addresses ends up with a share of 1/(n+1). An address that holds `little` at most is served
 * beyond the bound, up to 1.25 times.
 */
export function mayHold({ max, used, held }: Holding, more: number, little = 0): boolean {
  const wanted = held + more;
  if (wanted <= max - used) return true;
  return wanted <= little && used + more <= max * LITTLE_FACTOR;
}
