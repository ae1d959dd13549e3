// Stored bodies of events: reading their fields, unpacking and packing them.

import {
  CANONICAL_ID_END,
  CANONICAL_ID_START,
  CANONICAL_PUBKEY_END,
  CANONICAL_PUBKEY_START,
} from '../../protocol/canonical.ts';
import type { NostrEvent } from '../../protocol/event.ts';
import { StorageError } from '../database/error.ts';
import { ID_AT, ID_BYTES, PUBKEY_AT } from './format.ts';
import { type Memory, pack } from './pack.ts';
import { isPacked, UNPACK_SLACK, unpack, unpackedLength } from './unpack.ts';

/**
 * Body of an event: its canonical JSON, as text or as bytes, or the packed form of it
 * (`store/body/format.ts`). The database returns JSON as text and the packed form as bytes.
 */
export type StoredBody = string | Buffer;

/**
 * Returns the body in a row of the log, or null if there is no row.
 *
 * @throws StorageError when the column has a type that no body has: SQLite returns whatever a
 *   damaged page holds.
 */
export function bodyOfRow(json: unknown): StoredBody | null {
  if (typeof json === 'string' || Buffer.isBuffer(json)) return json;
  if (json === undefined) return null;
  throw new StorageError('the body of a stored event is neither text nor bytes', 'damaged');
}

/** Size of the scratch memory of this thread; longer bodies allocate their own. */
const SCRATCH_BYTES = 256 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
const scratchView = viewOf(scratch);

/** Returns the id of an event, without parsing or unpacking it. */
export function idOf(body: StoredBody): string {
  if (typeof body === 'string') return body.slice(CANONICAL_ID_START, CANONICAL_ID_END);
  return isPacked(body)
    ? body.toString('hex', ID_AT, ID_AT + ID_BYTES)
    : body.toString('latin1', CANONICAL_ID_START, CANONICAL_ID_END);
}

/** Returns the pubkey of an event, without parsing or unpacking it. */
export function pubkeyOf(body: StoredBody): string {
  if (typeof body === 'string') return body.slice(CANONICAL_PUBKEY_START, CANONICAL_PUBKEY_END);
  return isPacked(body)
    ? body.toString('hex', PUBKEY_AT, PUBKEY_AT + ID_BYTES)
    : body.toString('latin1', CANONICAL_PUBKEY_START, CANONICAL_PUBKEY_END);
}

/** Returns the canonical JSON of an event. @throws StorageError when a packed body is damaged. */
export function jsonOf(body: StoredBody): string {
  if (typeof body === 'string') return body;
  if (!isPacked(body)) return body.toString();
  const length = unpackedLength(body);
  if (length + UNPACK_SLACK > SCRATCH_BYTES) return jsonBytesOf(body).toString();
  unpack(body, scratch, scratchView, 0);
  return scratch.toString('utf8', 0, length);
}

/**
 * Returns the same as `jsonOf` as UTF-8, in memory of its own unless the body is just that.
 *
 * @throws StorageError when a packed body is damaged.
 */
export function jsonBytesOf(body: StoredBody): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  if (!isPacked(body)) return body;
  const memory = Buffer.allocUnsafe(unpackedLength(body) + UNPACK_SLACK);
  return memory.subarray(0, unpack(body, memory, viewOf(memory), 0));
}

/** Returns the event of a body. @throws StorageError when the body is damaged. */
export function eventOf(body: StoredBody): NostrEvent {
  const json = jsonOf(body);
  try {
    return JSON.parse(json) as NostrEvent;
  } catch (cause) {
    throw new StorageError('the text of a stored event is damaged', 'damaged', { cause });
  }
}

/** Maker of the bodies that are stored, in memory that is reused for the next one. */
export class BodyMaker {
  readonly #packs: boolean;
  /** Memory of the last JSON; the next one is mostly in the same. */
  #source = memoryOf(new ArrayBuffer(0));
  #target = memoryOf(new ArrayBuffer(0));

  /** @param packs is true if bodies are packed (`storage.pack_bodies`). */
  constructor(packs: boolean) {
    this.#packs = packs;
  }

  /** Returns the body to be stored of an event in canonical JSON; valid until the next call. */
  make(json: Buffer): Buffer {
    if (!this.#packs) return json;
    const { buffer, byteOffset, length } = json;
    if (length > this.#target.bytes.length) {
      this.#target = memoryOf(new ArrayBuffer(Math.max(length * 2, 64 * 1024)));
    }
    if (this.#source.view.buffer !== buffer) this.#source = memoryOf(buffer);
    const packed = pack(this.#source, byteOffset, length, this.#target);
    return packed === 0 ? json : Buffer.from(this.#target.view.buffer, 0, packed);
  }
}

function memoryOf(buffer: ArrayBufferLike): Memory {
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer) };
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
