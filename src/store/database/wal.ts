// The file format of SQLite's write-ahead log
// (https://sqlite.org/fileformat2.html#the_write_ahead_log).

export const WAL_HEADER_BYTES = 32;
export const WAL_FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
/** Bit of the magic number for checksums of big-endian words. */
const BIG_ENDIAN = 1;

/** Header of a log. */
interface WalHeader {
  pageBytes: number;
  bigEndian: boolean;
  /** Both salts as one text, the same in all frames of this log. */
  salts: string;
  /** Start of the chain of checksums. */
  checksum: Checksum;
}

/** Pair of sums that SQLite carries from frame to frame. */
export type Checksum = readonly [number, number];

/** Returns the header of a log; null if there is none or it is damaged. */
export function walHeaderOf(bytes: Buffer): WalHeader | null {
  if (bytes.length < WAL_HEADER_BYTES) return null;
  const magic = bytes.readUInt32BE(0);
  if ((magic & ~BIG_ENDIAN) !== MAGIC) return null;
  const bigEndian = (magic & BIG_ENDIAN) !== 0;
  const checksum = walChecksum(bytes.subarray(0, 24), bigEndian, [0, 0]);
  if (checksum[0] !== bytes.readUInt32BE(24) || checksum[1] !== bytes.readUInt32BE(28)) return null;
  const salts = bytes.toString('hex', 16, 24);
  return { pageBytes: bytes.readUInt32BE(8), bigEndian, salts, checksum };
}

/** Continues a checksum over bytes whose number is a multiple of 8. */
export function walChecksum(bytes: Buffer, bigEndian: boolean, from: Checksum): Checksum {
  let [a, b] = from;
  for (let at = 0; at < bytes.length; at += 8) {
    const x = bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
    const y = bigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4);
    a = (a + x + b) >>> 0;
    b = (b + y + a) >>> 0;
  }
  return [a, b];
}
