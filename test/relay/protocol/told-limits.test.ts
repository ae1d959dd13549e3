// Tests that the limits in the relay information document (NIP-11) are those that a real relay
// applies to messages over WebSocket, with default settings.

import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../../src/protocol/event.ts';
import { Author } from '../../support/author.ts';
import { useRelay } from '../../support/use-relay.ts';

interface Told {
  max_message_length: number;
  max_event_tags: number;
  max_content_length: number;
}

describe('with the defaults', () => {
  const use = useRelay();
  let told: Told;
  beforeAll(async () => {
    const headers = { accept: 'application/nostr+json' };
    const response = await fetch(use.relay.httpUrl, { headers });
    ({ limitation: told } = (await response.json()) as { limitation: Told });
  });

  /** Publishes an event and expects to read it back. */
  async function expectKept(event: NostrEvent): Promise<void> {
    expect(await use.client.publish(event)).toEqual(['OK', event.id, true, '']);
    expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
  }

  function follows(count: number, ...rest: string[]): string[][] {
    return Array.from({ length: count }, () => ['p', randomBytes(32).toString('hex'), ...rest]);
  }

  it('a follow list may have as many p tags as are told', async () => {
    const { max_event_tags: max } = told;
    expect(max).toBe(2000);
    await expectKept(new Author().event({ kind: 3, tags: follows(max) }));
    const author = new Author();
    const list = author.event({
      kind: 3,
      tags: follows(max, 'wss://relay.example.com/', 'petname'),
    });
    await expectKept(list);
    const found = await use.client.query({ authors: [author.pubkey], kinds: [3] });
    expect(found.events).toEqual([list]);
    const followed = await use.client.query({ '#p': [list.tags.at(-1)![1]!] });
    expect(followed.events).toEqual([list]);
  });

  it('one tag more is refused by that limit', async () => {
    const event = new Author().event({ kind: 3, tags: follows(told.max_event_tags + 1) });
    const [, , accepted, text] = await use.client.publish(event);
    expect(accepted).toBe(false);
    expect(text).toMatch(/^invalid: event has too many tags: 2001, the limit is 2000$/);
  });

  it.each([
    ['Latin', 'x'],
    ['Cyrillic', 'ж'],
  ])('a content may have as many characters as are told: %s', async (_, character) => {
    await expectKept(new Author().event({ content: character.repeat(told.max_content_length) }));
  });

  it('an event may be as long as a message may be, and no longer', async () => {
    const author = new Author();
    const messageOf = (event: NostrEvent) => JSON.stringify(['EVENT', event]).length;
    const tags = follows(1900);
    const empty = messageOf(author.event({ kind: 3, tags, content: '' }));
    const room = told.max_message_length - empty;
    const longest = author.event({ kind: 3, tags, content: 'x'.repeat(room) });
    expect(messageOf(longest)).toBe(told.max_message_length);
    await expectKept(longest);
    const longer = author.event({ kind: 3, tags, content: 'x'.repeat(room + 1) });
    use.client.send(['EVENT', longer]);
    expect(await use.client.ended()).toMatchObject({ code: 1009 });
  });
});
