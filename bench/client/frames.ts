// Writer and reader of WebSocket frames (RFC 6455), client side.

/** Opcodes of WebSocket frames (RFC 6455). */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

const FIN = 0x80;
const MASKED = 0x80;
/** Longest header of a client frame: 2 bytes, 8 of length, 4 of mask. */
const HEADER_BYTES_MAX = 14;
const FIRST_BYTES = 1 << 16;

/**
 * Buffer of frames to send. Every frame is masked with a key of its own, as servers may insist on;
 * the keys come from a plain counter generator, because this traffic needs no protection and
 * unpredictable keys cost more than the masking.
 */
export class FrameWriter {
  #bytes: Buffer;
  #words: Uint32Array;
  #length = 0;
  #key = 0x2545f491;

  constructor() {
    this.#bytes = Buffer.from(new ArrayBuffer(FIRST_BYTES));
    this.#words = new Uint32Array(this.#bytes.buffer);
  }

  /** Number of bytes gathered so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends a text frame. */
  text(text: string): void {
    const bytes = Buffer.byteLength(text);
    const at = this.#begin(TEXT, bytes);
    this.#bytes.write(text, at, bytes, 'utf8');
    this.#finish(at, bytes);
  }

  /** Appends a text frame: ASCII `before`, bytes from[start…end], ASCII `after`. */
  textAround(before: string, from: Uint8Array, start: number, end: number, after: string): void {
    const bytes = before.length + (end - start) + after.length;
    const at = this.#begin(TEXT, bytes);
    this.#bytes.write(before, at, 'latin1');
    this.#bytes.set(from.subarray(start, end), at + before.length);
    this.#bytes.write(after, at + bytes - after.length, 'latin1');
    this.#finish(at, bytes);
  }

  /** Flips `bits` of one byte of the last frame; `beforeEnd` 1 is its last byte. */
  change(beforeEnd: number, bits: number): void {
    // Masking is an exclusive or, so a bit flipped under the mask is flipped in the message.
    this.#bytes[this.#length - beforeEnd]! ^= bits;
  }

  control(opcode: number, payload: Uint8Array): void {
    const at = this.#begin(opcode, payload.length);
    this.#bytes.set(payload, at);
    this.#finish(at, payload.length);
  }

  /** Returns a copy of the gathered bytes and empties the buffer. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  /** Writes a header and returns the offset of the payload. */
  #begin(opcode: number, bytes: number): number {
    this.#reserve(HEADER_BYTES_MAX + bytes);
    const to = this.#bytes;
    let at = this.#length;
    to[at++] = FIN | opcode;
    if (bytes < 126) {
      to[at++] = MASKED | bytes;
    } else if (bytes < 65_536) {
      to[at++] = MASKED | 126;
      at = to.writeUInt16BE(bytes, at);
    } else {
      to[at++] = MASKED | 127;
      at = to.writeUInt32BE(0, at);
      at = to.writeUInt32BE(bytes, at);
    }
    return to.writeUInt32LE(this.#nextKey(), at);
  }

  #finish(at: number, bytes: number): void {
    mask(this.#bytes, this.#words, at, at + bytes, this.#key);
    this.#length = at + bytes;
  }

  #nextKey(): number {
    this.#key = (Math.imul(this.#key, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#key;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    let size = this.#bytes.length;
    while (size < needed) size *= 2;
    const grown = Buffer.from(new ArrayBuffer(size));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#words = new Uint32Array(grown.buffer);
  }
}

/** Masks four bytes at a time where they are aligned: 0.2 µs for 1 kB. `key` is little-endian. */
function mask(bytes: Buffer, words: Uint32Array, start: number, end: number, key: number): void {
  let at = start;
  for (; at < end && at % 4 !== 0; at++) bytes[at]! ^= key >>> (8 * ((at - start) % 4));
  const turn = 8 * ((at - start) % 4);
  const turned = turn === 0 ? key : (key >>> turn) | (key << (32 - turn));
  for (const last = end - 3; at < last; at += 4) words[at >> 2]! ^= turned;
  for (; at < end; at++) bytes[at]! ^= key >>> (8 * ((at - start) % 4));
}

/** Receiver of what a frame reader finds. The bytes are valid during the call only. */
export interface FrameSink {
  /** Receives a whole text message, fragments put together. */
  text(bytes: Buffer, start: number, end: number): void;
  /** Receives a ping, pong or close with its payload. */
  control(opcode: number, payload: Buffer): void;
  /** Called when the server broke the protocol. */
  fault(what: string): void;
}

/**
 * Longest message that is accepted, in bytes, in one frame or in fragments; a longer one is a
 * fault, so that no message can fill the memory.
 */
export const MESSAGE_BYTES_MAX = 64 * 2 ** 20;

/** Cost of a fragment beside its payload, so that empty ones are bounded, too. */
const FRAGMENT_BYTES = 128;

const NOTHING = Buffer.alloc(0);

/**
 * Parser of a server's byte stream, which may come in pieces of any size. A text frame that lies
 * whole in a piece is passed on in place; a frame that is cut by the end of a piece, a fragment and
 * the payload of a control frame are copied.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  /** Beginning of a frame that is not complete yet. */
  #part: Buffer = NOTHING;
  #partLength = 0;
  /** Length that `#part` must reach before parsing can go on. */
  #partNeeded = 0;
  #fragments: Buffer[] = [];
  #fragmentBytes = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Parses the first `length` bytes of `chunk`, which may be reused after the call. */
  push(chunk: Buffer, length: number): void {
    let at = 0;
    while (this.#partLength > 0) {
      const more = Math.min(this.#partNeeded - this.#partLength, length - at);
      this.#grow(this.#partNeeded);
      chunk.copy(this.#part, this.#partLength, at, at + more);
      this.#partLength += more;
      at += more;
      if (this.#partLength < this.#partNeeded) return;
      const whole = this.#part;
      const used = this.#frame(whole, 0, this.#partLength);
      if (used > 0) this.#partLength = 0;
    }
    while (at < length) {
      const used = this.#frame(chunk, at, length);
      if (used === 0) {
        this.#keep(chunk, at, length);
        return;
      }
      at += used;
    }
  }

  /** Returns the length of the frame; or 0, with the bytes needed to go on in `#partNeeded`. */
  #frame(bytes: Buffer, start: number, end: number): number {
    const have = end - start;
    this.#partNeeded = 2;
    if (have < 2) return 0;
    const short = bytes[start + 1]! & 0x7f;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    this.#partNeeded = header;
    if (have < header) return 0;
    const payload =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(start + 2)
          : bytes.readUInt32BE(start + 2) * 2 ** 32 + bytes.readUInt32BE(start + 6);
    if (bytes[start + 1]! & MASKED) this.#sink.fault('a masked frame');
    if (payload > MESSAGE_BYTES_MAX) {
      this.#sink.fault(`a frame of ${payload} bytes`);
      return have;
    }
    this.#partNeeded = header + payload;
    if (have < header + payload) return 0;
    this.#dispatch(bytes, bytes[start]!, start + header, start + header + payload);
    return header + payload;
  }

  #dispatch(bytes: Buffer, first: number, start: number, end: number): void {
    if (first === (FIN | TEXT)) {
      this.#sink.text(bytes, start, end);
      return;
    }
    const opcode = first & 0x0f;
    if (opcode >= CLOSE) {
      this.#sink.control(opcode, Buffer.from(bytes.subarray(start, end)));
    } else if ((first & 0x70) !== 0) {
      this.#sink.fault('a frame with reserved bits, without a negotiated extension');
    } else if (opcode === BINARY) {
      this.#sink.fault('a binary message');
    } else {
      this.#fragment(bytes.subarray(start, end), (first & FIN) !== 0);
    }
  }

  /** Keeps a fragment of a message, and passes the message on with its last one. */
  #fragment(payload: Buffer, isLast: boolean): void {
    this.#fragmentBytes += payload.length + FRAGMENT_BYTES;
    if (this.#fragmentBytes > MESSAGE_BYTES_MAX) {
      this.#dropFragments();
      this.#sink.fault(`a message in fragments of more than ${MESSAGE_BYTES_MAX} bytes`);
      return;
    }
    this.#fragments.push(Buffer.from(payload));
    if (!isLast) return;
    const whole = Buffer.concat(this.#fragments);
    this.#dropFragments();
    this.#sink.text(whole, 0, whole.length);
  }

  #dropFragments(): void {
    this.#fragments = [];
    this.#fragmentBytes = 0;
  }

  #keep(chunk: Buffer, at: number, length: number): void {
    this.#grow(this.#partNeeded);
    this.#partLength = chunk.copy(this.#part, 0, at, length);
  }

  #grow(bytes: number): void {
    if (this.#part.length >= bytes) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, 256));
    this.#part.copy(grown, 0, 0, this.#partLength);
    this.#part = grown;
  }
}
