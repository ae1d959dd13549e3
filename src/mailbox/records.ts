const INITIAL_BYTES = 64 * 1024;

/**
 * Collects the binary records that go to one neighbour within one turn of the event loop.
 *
 * The memory is reused: `written` is what a channel copies from, `clear` begins anew.
 * Records are laid out by the codecs in `messages.ts`; all numbers are little-endian.
 */
export class RecordWriter {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #buffer = Buffer.from(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  #reserve(extra: number): void {
    const wanted = this.#length + extra;
    if (wanted <= this.#bytes.length) return;
    let size = this.#bytes.length * 2;
    while (size < wanted) size *= 2;
    const grown = new Uint8Array(size);
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
    this.#buffer = Buffer.from(grown.buffer);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Raw bytes without a length in front. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Raw bytes behind their length as u32. */
  blob(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  /** Text as UTF-8 behind its length in bytes as u32. */
  text(text: string): void {
    this.#encode(text, 'utf8', text.length * 3);
  }

  /** Text of ASCII characters alone, behind its length as u32. */
  ascii(text: string): void {
    this.#encode(text, 'latin1', text.length);
  }

  /** The bytes that hex digits stand for, behind their number as u32. */
  hex(digits: string): void {
    this.#encode(digits, 'hex', digits.length >> 1);
  }

  #encode(text: string, encoding: BufferEncoding, bytesMax: number): void {
    this.#reserve(4 + bytesMax);
    const written = this.#buffer.write(text, this.#length + 4, encoding);
    this.#view.setUint32(this.#length, written, true);
    this.#length += 4 + written;
  }

  /** Several texts as one UTF-8 blob behind its length: a frame put together without a copy. */
  textOf(...parts: string[]): void {
    const start = this.#length;
    this.u32(0);
    for (const part of parts) {
      this.#reserve(part.length * 3);
      this.#length += this.#buffer.write(part, this.#length, 'utf8');
    }
    this.#view.setUint32(start, this.#length - start - 4, true);
  }

  /** Overwrites a u32 written before, for counts known only at the end. */
  patchU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  /** What was written so far, as long as nothing more is. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** What was written so far, in memory of its own; the writer is empty again. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}

/** Reads the records of one batch, in order. Reading past the end is a broken invariant and throws. */
export class RecordReader {
  readonly buffer: Buffer;
  readonly #view: DataView;
  #offset = 0;

  constructor(batch: Uint8Array) {
    const { buffer, byteOffset, byteLength } = batch;
    this.buffer = Buffer.isBuffer(batch) ? batch : Buffer.from(buffer, byteOffset, byteLength);
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  get more(): boolean {
    return this.#offset < this.buffer.length;
  }

  get offset(): number {
    return this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#offset++);
  }

  u16(): number {
    const value = this.#view.getUint16(this.#offset, true);
    this.#offset += 2;
    return value;
  }

  u32(): number {
    const value = this.#view.getUint32(this.#offset, true);
    this.#offset += 4;
    return value;
  }

  f64(): number {
    const value = this.#view.getFloat64(this.#offset, true);
    this.#offset += 8;
    return value;
  }

  skip(bytes: number): void {
    this.#offset += bytes;
  }

  /** A view into the batch: it stays valid as long as somebody holds it. */
  blob(): Buffer {
    return this.blobAt(this.skipBlob());
  }

  /** Passes over a blob; returns its offset, for `blobAt`. */
  skipBlob(): number {
    const offset = this.#offset;
    this.#offset += 4 + this.#view.getUint32(offset, true);
    return offset;
  }

  /** The blob at an offset, a view as from `blob`. */
  blobAt(offset: number): Buffer {
    const start = offset + 4;
    return this.buffer.subarray(start, start + this.#view.getUint32(offset, true));
  }

  /** Text of ASCII characters alone. */
  ascii(): string {
    const length = this.u32();
    const start = this.#offset;
    this.#offset += length;
    return this.buffer.toString('latin1', start, this.#offset);
  }

  text(): string {
    const length = this.u32();
    const start = this.#offset;
    this.#offset += length;
    return this.buffer.toString('utf8', start, this.#offset);
  }
}
