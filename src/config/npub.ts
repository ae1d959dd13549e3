// Decoder and encoder of NIP-19 keys (npub, nsec) in bech32 (BIP-173).

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const KEY_BYTES = 32;
const CHECKSUM_LENGTH = 6;

/**
 * Decodes an `npub1…` (NIP-19: bech32 of BIP-173 around 32 bytes) into 64 lower-case hex
 * characters; returns undefined if the text is not one or its checksum is wrong.
 */
export function decodeNpub(text: string): string | undefined {
  return decodeKey(text, 'npub');
}

/** Decodes the secret key of an `nsec1…` in the same way. */
export function decodeNsec(text: string): string | undefined {
  return decodeKey(text, 'nsec');
}

function decodeKey(text: string, prefix: string): string | undefined {
  const bytes = decodeBech32(text, prefix);
  return bytes?.length === KEY_BYTES ? bytes.toString('hex') : undefined;
}

/** Decodes a bech32 text (BIP-173, of any length) with this prefix; undefined if it is not one. */
export function decodeBech32(text: string, prefix: string): Buffer | undefined {
  const lower = text.toLowerCase();
  // BIP-173 forbids mixed case.
  if (text !== lower && text !== text.toUpperCase()) return undefined;
  if (!lower.startsWith(`${prefix}1`)) return undefined;

  const values = Array.from(lower.slice(prefix.length + 1), (char) => ALPHABET.indexOf(char));
  if (values.includes(-1) || checksum(prefix, values) !== 1) return undefined;
  return wordsToBytes(values.slice(0, -CHECKSUM_LENGTH));
}

/** Computes the BCH checksum of BIP-173 over prefix and five-bit values; 1 for a valid text. */
function checksum(prefix: string, values: readonly number[]): number {
  const codes = Array.from(prefix, (char) => char.charCodeAt(0));
  const expanded = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  let sum = 1;
  for (const value of [...expanded, ...values]) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    GENERATORS.forEach((generator, bit) => {
      if ((top >> bit) & 1) sum ^= generator;
    });
  }
  return sum;
}

/** Packs five-bit words into bytes; the bits left over must be fewer than five, all zero. */
function wordsToBytes(words: readonly number[]): Buffer | undefined {
  const bytes: number[] = [];
  let held = 0;
  let heldBits = 0;
  for (const word of words) {
    held = ((held << 5) | word) & 0xfff;
    heldBits += 5;
    if (heldBits >= 8) {
      heldBits -= 8;
      bytes.push((held >> heldBits) & 0xff);
    }
  }
  const padding = held & ((1 << heldBits) - 1);
  return heldBits >= 5 || padding !== 0 ? undefined : Buffer.from(bytes);
}

/** Encodes a public key in hex as an `npub1…`. */
export function encodeNpub(pubkey: string): string {
  const words: number[] = [];
  let held = 0;
  let heldBits = 0;
  for (const byte of Buffer.from(pubkey, 'hex')) {
    held = ((held << 8) | byte) & 0xfff;
    heldBits += 8;
    while (heldBits >= 5) {
      heldBits -= 5;
      words.push((held >> heldBits) & 31);
    }
  }
  if (heldBits > 0) words.push((held << (5 - heldBits)) & 31);
  const sum = checksum('npub', [...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    words.push((sum >>> (5 * (CHECKSUM_LENGTH - 1 - i))) & 31);
  }
  return `npub1${words.map((word) => ALPHABET[word]).join('')}`;
}
