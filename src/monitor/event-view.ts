// View of an accepted event in the encoding of packed filters, for matching without conversion.

import type { NostrEvent } from '../protocol/event.ts';
import { eventOf } from '../store/body/body.ts';
import type { StorableEvent } from '../store/event.ts';

/** Fields of an accepted event that live filters look at. */
type Viewed = Pick<StorableEvent, 'idBytes' | 'pubkeyBytes' | 'kind' | 'createdAt' | 'body'>;

/**
 * Accepted event as live filters compare it: ids and pubkeys are 32 characters, one for each byte;
 * tag values are their UTF-8 bytes as characters, as in packed filters. The JSON is parsed when a
 * filter first asks for tags.
 */
export class EventView {
  readonly kind: number;
  readonly createdAt: number;
  readonly #event: Viewed;
  #id: string | null = null;
  #pubkey: string | null = null;
  #tags: Map<string, string[]> | null = null;

  constructor(event: Viewed) {
    this.kind = event.kind;
    this.createdAt = event.createdAt;
    this.#event = event;
  }

  get id(): string {
    this.#id ??= this.#event.idBytes.toString('latin1');
    return this.#id;
  }

  get pubkey(): string {
    this.#pubkey ??= this.#event.pubkeyBytes.toString('latin1');
    return this.#pubkey;
  }

  /** Returns the values of its tags with this letter. */
  tagValues(letter: string): readonly string[] {
    this.#tags ??= tagsOf(eventOf(this.#event.body));
    return this.#tags.get(letter) ?? NO_VALUES;
  }
}

const NO_VALUES: readonly string[] = [];

function tagsOf({ tags }: NostrEvent): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const tag of tags) {
    const [letter, value] = tag;
    if (letter === undefined || value === undefined || letter.length !== 1) continue;
    const values = found.get(letter);
    if (values === undefined) found.set(letter, [utf8Of(value)]);
    else values.push(utf8Of(value));
  }
  return found;
}

/** Returns the UTF-8 bytes of a text as characters. */
function utf8Of(text: string): string {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString('latin1');
}
