// Encoder of keys and ids as bech32 (NIP-19). The page does not decode; the relay does.

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/**
 * Encodes a public key in hex as `npub1…` or an id in hex as `note1…`. Returns other text than 32
 * bytes of hex unchanged.
 */
export function encoded(prefix: 'npub' | 'note', hex: string): string {
  if (!/^[0-9a-f]{64}$/.test(hex)) return hex;
  const words = wordsOf(hex);
  const text = [...words, ...checksumOf(prefix, words)].map((word) => ALPHABET[word]).join('');
  return `${prefix}1${text}`;
}

/** First 11 and last 6 characters of an encoded key or id; up to 20 characters stay as they are. */
export function shortened(text: string): string {
  return text.length <= 20 ? text : `${text.slice(0, 11)}…${text.slice(-6)}`;
}

/** Splits bytes in hex into words of five bits, the last padded with zeros. */
function wordsOf(hex: string): number[] {
  const words: number[] = [];
  let held = 0;
  let heldBits = 0;
  for (let at = 0; at < hex.length; at += 2) {
    held = (held << 8) | Number.parseInt(hex.slice(at, at + 2), 16);
    for (heldBits += 8; heldBits >= 5; ) {
      heldBits -= 5;
      words.push((held >> heldBits) & 31);
    }
    held &= (1 << heldBits) - 1;
  }
  if (heldBits > 0) words.push((held << (5 - heldBits)) & 31);
  return words;
}

/** Checksum of BIP-173, six words. */
function checksumOf(prefix: string, words: readonly number[]): number[] {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0));
  const values = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  const rest = remainder([...values, ...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  return [25, 20, 15, 10, 5, 0].map((shift) => (rest >> shift) & 31);
}

function remainder(values: readonly number[]): number {
  let rest = 1;
  for (const value of values) {
    const top = rest >> 25;
    rest = ((rest & 0x1ffffff) << 5) ^ value;
    GENERATOR.forEach((term, bit) => {
      if ((top >> bit) & 1) rest ^= term;
    });
  }
  return rest;
}
