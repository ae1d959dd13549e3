// Writer and reader of the binary records that channels carry. The layouts of the records are in
// the codec of each link (`messages/`); all numbers are little-endian.

const INITIAL_BYTES = 64 * 1024;

/**
 * Growing buffer for the binary records that go to one receiver within one turn of the event loop.
 * Its memory is reused: a channel copies from `written`, and `clear` empties the buffer.
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

  /** Writes raw bytes without a length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes raw bytes after their length as u32. */
  blob(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  /** Writes text as UTF-8 after its length in bytes as u32. */
  text(text: string): void {
    this.#encode(text, 'utf8', text.length * 3);
  }

  /** Writes ASCII text after its length as u32. */
  ascii(text: string): void {
    this.#encode(text, 'latin1', text.length);
  }

  /** Writes the bytes that hex digits encode, after their number as u32. */
  hex(digits: string): void {
    this.#encode(digits, 'hex', digits.length >> 1);
  }

  #encode(text: string, encoding: BufferEncoding, bytesMax: number): void {
    this.#reserve(4 + bytesMax);
    const written = this.#buffer.write(text, this.#length + 4, encoding);
    this.#view.setUint32(this.#length, written, true);
    this.#length += 4 + written;
  }

  /** Writes several texts as one UTF-8 blob after its length, without joining them first. */
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

  /** Bytes written so far; valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Returns a copy of the bytes written so far and empties the writer. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}

/**
 * Reader of the records of one batch, in order. Every method throws a RangeError past the end of
 * the batch, which is a broken invariant: a blob or text that is cut off is never returned in part.
 */
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

  /** Reads a list of f64 after their number as u32. */
  f64List(): Float64Array<ArrayBuffer> {
    const count = this.u32();
    const start = this.#offset;
    this.skip(count * 8);
    const values = new Float64Array(count);
    for (let i = 0; i < count; i++) values[i] = this.#view.getFloat64(start + i * 8, true);
    return values;
  }

  skip(bytes: number): void {
    this.#offset += bytes;
    if (this.#offset > this.buffer.length) cutOff();
  }

  /** Returns a view into the batch, valid as long as it is referenced. */
  blob(): Buffer {
    return this.blobAt(this.skipBlob());
  }

  /** Skips a blob and returns its offset, for `blobAt`. */
  skipBlob(): number {
    const offset = this.#offset;
    this.skip(4 + this.#view.getUint32(offset, true));
    return offset;
  }

  /** Returns the blob at an offset that `skipBlob` has returned, as a view like `blob`. */
  blobAt(offset: number): Buffer {
    const start = offset + 4;
    return this.buffer.subarray(start, start + this.#view.getUint32(offset, true));
  }

  /** Reads ASCII text. */
  ascii(): string {
    return this.#decode('latin1');
  }

  text(): string {
    return this.#decode('utf8');
  }

  #decode(encoding: BufferEncoding): string {
    const length = this.u32();
    const start = this.#offset;
    this.skip(length);
    return this.buffer.toString(encoding, start, this.#offset);
  }
}

function cutOff(): never {
  throw new RangeError('a record of a channel is cut off');
}
