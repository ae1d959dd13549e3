// List of event ids in little memory.

import { ID_BYTES } from '../negentropy/bound.ts';

const BLOCK_IDS = 4096;

/** List of event ids, 32 bytes each. */
export class IdList {
  readonly #blocks: Buffer[] = [];
  size = 0;

  push(id: Uint8Array): void {
    const place = this.size % BLOCK_IDS;
    if (place === 0) this.#blocks.push(Buffer.allocUnsafeSlow(BLOCK_IDS * ID_BYTES));
    this.#blocks.at(-1)?.set(id, place * ID_BYTES);
    this.size++;
  }

  /** Returns the ids from `from` to before `to`, as hex. */
  hex(from: number, to: number): string[] {
    const ids: string[] = [];
    for (let at = from; at < Math.min(to, this.size); at++) {
      const start = (at % BLOCK_IDS) * ID_BYTES;
      const block = this.#blocks[Math.floor(at / BLOCK_IDS)];
      if (block !== undefined) ids.push(block.toString('hex', start, start + ID_BYTES));
    }
    return ids;
  }
}
