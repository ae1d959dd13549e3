// Canonical JSON and id preimage of events, built in one buffer that belongs to an ingester worker.

import { hash } from 'node:crypto';
import { canonicalJson, hashesTo } from './canonical.ts';
import type { NostrEvent } from './event.ts';
import type { MessageScan } from './message-scan.ts';

/** Maximum of bytes around `tags` and `content` in canonical JSON or in the preimage of the id. */
const AROUND_BYTES = 512;

/**
 * Builder of the two texts of an event: the canonical JSON, which is stored and sent, and the
 * preimage of the id (see `protocol/canonical.ts`). Its buffer is reused for the next event.
 */
export class EventText {
  #memory = Buffer.alloc(64 * 1024);
  #length = 0;

  /** Canonical JSON made last; a view that the next call of `make` overwrites. */
  get json(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /**
   * Makes the canonical JSON of an event that came in `message`. Tags and content are copied if the
   * scan found them in canonical form, otherwise they are serialised again.
   */
  make(event: NostrEvent, message: Buffer, scan: MessageScan): void {
    if (!scan.canonical) {
      const json = canonicalJson(event);
      this.#reserve(json.length * 3);
      this.#length = this.#memory.write(json, 'utf8');
      return;
    }
    this.#reserve(message.length + AROUND_BYTES);
    const memory = this.#memory;
    let at = memory.write(
      `{"id":"${event.id}","pubkey":"${event.pubkey}","created_at":${event.created_at},"kind":${event.kind},"tags":`,
      'latin1',
    );
    at += message.copy(memory, at, scan.tagsStart, scan.tagsEnd);
    at += memory.write(',"content":', at, 'latin1');
    at += message.copy(memory, at, scan.contentStart, scan.contentEnd);
    at += memory.write(`,"sig":"${event.sig}"}`, at, 'latin1');
    this.#length = at;
  }

  /** Returns true if the id is the SHA-256 of the event that was given to the last `make`. */
  hashesToId(event: NostrEvent, message: Buffer, scan: MessageScan): boolean {
    if (!scan.canonical) return hashesTo(event);
    if (this.#hash(event, message, scan) === event.id) return true;
    // The client may have hashed control characters verbatim; the copied text differs from that.
    scan.canonical = false;
    this.make(event, message, scan);
    return hashesTo(event);
  }

  /** Returns the hash of the copied text, built after the canonical JSON in the same buffer. */
  #hash(event: NostrEvent, message: Buffer, scan: MessageScan): string {
    this.#reserve(this.#length + message.length + AROUND_BYTES);
    const memory = this.#memory;
    const start = this.#length;
    let at = start;
    at += memory.write(`[0,"${event.pubkey}",${event.created_at},${event.kind},`, at, 'latin1');
    at += message.copy(memory, at, scan.tagsStart, scan.tagsEnd);
    memory[at++] = 0x2c;
    at += message.copy(memory, at, scan.contentStart, scan.contentEnd);
    memory[at++] = 0x5d;
    return hash('sha256', memory.subarray(start, at));
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#memory.length) return;
    const grown = Buffer.alloc(bytes * 2);
    this.#memory.copy(grown, 0, 0, this.#length);
    this.#memory = grown;
  }
}

/** Returns the id of the event in a line of JSON; null if there is none. It is not checked. */
export function idOfLine(line: string): string | null {
  try {
    const value: unknown = JSON.parse(line);
    const { id } = (value ?? {}) as { id?: unknown };
    return typeof id === 'string' && id !== '' ? id : null;
  } catch {
    return null;
  }
}
