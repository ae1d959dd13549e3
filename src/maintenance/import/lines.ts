// Splitter of a byte stream into chunks of whole lines, for the import.

const NEWLINE = 0x0a;

/** Chunk of whole lines, in memory that the receiver owns. */
interface Lines {
  bytes: ArrayBuffer;
  /** Number of bytes of the source up to the end of these lines. */
  end: number;
  /** True if this stands for a line that was longer than allowed and was left out. */
  tooLong: boolean;
}

/**
 * Splits a stream into chunks of whole lines, about as large as the reads are. Lines of more than
 * `lineBytesMax` bytes are skipped, so that a file that is no text takes no memory.
 */
export async function* wholeLines(
  source: AsyncIterable<Buffer>,
  lineBytesMax: number,
): AsyncGenerator<Lines> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let read = 0;
  let skipping = false;
  for await (const part of source) {
    const before = read;
    read += part.length;
    let from = 0;
    if (skipping) {
      const end = part.indexOf(NEWLINE);
      if (end < 0) continue;
      skipping = false;
      from = end + 1;
      yield { bytes: new ArrayBuffer(0), end: before + from, tooLong: true };
    }
    const end = part.lastIndexOf(NEWLINE) + 1;
    if (end > from) {
      const bytes = joined([...rest, part.subarray(from, end)]);
      yield { bytes, end: before + end, tooLong: false };
      rest = [];
      restBytes = 0;
      from = end;
    }
    if (from === part.length) continue;
    rest.push(part.subarray(from));
    restBytes += part.length - from;
    if (restBytes > lineBytesMax) {
      skipping = true;
      rest = [];
      restBytes = 0;
    }
  }
  if (skipping) yield { bytes: new ArrayBuffer(0), end: read, tooLong: true };
  else if (restBytes > 0) yield { bytes: joined(rest), end: read, tooLong: false };
}

function joined(parts: readonly Buffer[]): ArrayBuffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all.buffer;
}
