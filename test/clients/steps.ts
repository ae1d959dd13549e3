// Steps that every client library is asked to do: publish, query, live events, deletions, gift
// wraps, paging, COUNT, and queries and subscriptions after a restart.

import { expect } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author, addressOf, now } from '../support/author.ts';
import { delay, until } from '../support/process.ts';
import type { Client } from './client.ts';
import type { Stage } from './stage.ts';

/** Step that every client library is asked to do. */
export interface Step {
  name: string;
  /** True if the short pass of CI runs it, too. */
  short?: true;
  /** True if the user has a key, also on a relay that asks for none. */
  keyed?: true;
  /** Commands that the library has to support. */
  needs?: readonly string[];
  run(client: Client, stage: Stage): Promise<void>;
}

/** Limit above the largest page of the relay. */
const LIMIT_ABOVE_CAP = 5000;
/** Limit below that, and above the number of events of any one second. */
const LIMIT_BELOW_CAP = 400;
/** Numbers of events of successive seconds, over and over; together 900. */
const EVENTS_A_SECOND = [300, 1, 37, 260, 5, 297];
const PAGED_EVENTS = 3000;
const FOLLOWS = 1500;
/**
 * Time after which a query is sent again: several libraries never answer a query that was begun
 * before they were connected again.
 */
const ASK_AGAIN_MILLISECONDS = 5000;

export const STEPS: readonly Step[] = [
  {
    name: 'publish',
    short: true,
    needs: ['publish'],
    async run(client, { me, query }) {
      const event = me.event();
      expect(await client.publish(event)).toMatchObject({ accepted: true });
      expect(await query({ ids: [event.id] })).toEqual([event]);
      // Some libraries do not send again what they have sent already.
      const again = await client.publish(event);
      expect(again.accepted || again.message).toBeTruthy();
    },
  },
  {
    name: 'query',
    short: true,
    async run(client, { publish }) {
      const author = new Author();
      const events = [1, 2, 3, 4, 5].map((n) => author.event({ created_at: now() - 60 * n }));
      await publish(...events);
      expect(byTime(await client.query({ authors: [author.pubkey] }))).toEqual(events);
      const newest = await client.query({ authors: [author.pubkey], limit: 2 });
      expect(byTime(newest)).toEqual(events.slice(0, 2));
      expect(await client.query({ authors: [new Author().pubkey] })).toEqual([]);
    },
  },
  {
    name: 'live',
    short: true,
    needs: ['live'],
    async run(client, { publish }) {
      const author = new Author();
      const stored = author.event({ created_at: now() - 60 });
      await publish(stored);
      await client.live({ authors: [author.pubkey] });
      await until(() => client.heard.length === 1, 'the stored event');
      const events = [1, 2, 3].map(() => author.event());
      await publish(...events);
      await until(() => client.heard.length === 4, 'the live events');
      expect(ids(client.heard)).toEqual(ids([stored, ...events]));
    },
  },
  {
    name: '50 queries at once',
    short: true,
    run: (client, stage) => queriesAtOnce(client, stage, 50),
  },
  {
    name: '300 queries at once',
    run: (client, stage) => queriesAtOnce(client, stage, 300),
  },
  {
    name: 'replaceable and addressable',
    async run(client, { publish }) {
      const author = new Author();
      const older = author.event({ kind: 0, created_at: now() - 60 });
      const newer = author.event({ kind: 0 });
      const article = (d: string, created_at: number) =>
        author.event({ kind: 30_023, tags: [['d', d]], created_at });
      const drafts = [article('a', now() - 60), article('b', now() - 60)];
      const final = article('a', now() - 30);
      await publish(older, newer, ...drafts, final);
      const authors = [author.pubkey];
      expect(await client.query({ kinds: [0], authors })).toEqual([newer]);
      const articles = await client.query({ kinds: [30_023], authors });
      expect(ids(articles)).toEqual(ids([final, drafts[1]!]));
      expect(await client.query({ kinds: [30_023], authors, '#d': ['a'] })).toEqual([final]);
    },
  },
  {
    name: 'deletion',
    needs: ['publish'],
    async run(client, { me, query }) {
      const [note, kept] = [me.event(), me.event()];
      const article = me.event({ kind: 30_023, tags: [['d', 'gone']], created_at: now() - 10 });
      for (const event of [note, kept, article]) await client.publish(event);
      const tags = [
        ['e', note.id],
        ['a', addressOf(article)],
      ];
      expect(await client.publish(me.deletion(tags))).toMatchObject({ accepted: true });
      const all = { ids: ids([note, kept, article]) };
      expect(await client.query(all)).toEqual([kept]);
      await client.publish(note);
      expect(await query(all)).toEqual([kept]);
    },
  },
  {
    name: 'gift wraps with AUTH',
    short: true,
    keyed: true,
    needs: ['live'],
    async run(client, { me, publish }) {
      const stranger = new Author();
      const wrap = (to: Author) =>
        stranger.event({ kind: 1059, tags: [['p', to.pubkey]], created_at: now() - 5 });
      const mine = wrap(me);
      await publish(mine, wrap(new Author()));
      await client.live({ kinds: [1059], '#p': [me.pubkey] });
      await until(() => client.heard.length === 1, 'the stored gift wrap');
      const next = wrap(me);
      await publish(next);
      await until(() => client.heard.length === 2, 'the live gift wrap');
      expect(ids(client.heard)).toEqual(ids([mine, next]));
    },
  },
  {
    name: 'gift wraps among other kinds',
    keyed: true,
    async run(client, { me, publish }) {
      const stranger = new Author();
      const tags = [['p', me.pubkey]];
      const events = [1, 1059].map((kind) => stranger.event({ kind, tags, created_at: now() - 5 }));
      await publish(...events);
      await client.live({ kinds: [1, 1059], '#p': [me.pubkey] });
      await until(() => client.heard.length === 2, 'the note and the gift wrap');
      expect(ids(client.heard)).toEqual(ids(events));
    },
    needs: ['live'],
  },
  {
    name: 'a follow list of 1,500',
    needs: ['publish'],
    async run(client, { me, publish }) {
      const friends = [new Author(), new Author()];
      const notes = friends.map((friend) => friend.event());
      await publish(...notes);
      const strangers = Array.from({ length: FOLLOWS - 2 }, (_, n) =>
        n.toString(16).padStart(64, 'a'),
      );
      const follows = [...strangers, ...friends.map(({ pubkey }) => pubkey)];
      const list = me.event({ kind: 3, tags: follows.map((pubkey) => ['p', pubkey]) });
      expect(await client.publish(list)).toMatchObject({ accepted: true });
      expect(await client.query({ kinds: [3], authors: [me.pubkey] })).toEqual([list]);
      const feed = await client.query({ kinds: [1], authors: follows, limit: 100 });
      expect(ids(feed)).toEqual(ids(notes));
    },
  },
  {
    name: 'paging below the cap',
    run: (client, stage) => pageThrough(client, stage, LIMIT_BELOW_CAP),
  },
  {
    name: 'paging above the cap',
    run: (client, stage) => pageThrough(client, stage, LIMIT_ABOVE_CAP),
  },
  {
    name: 'COUNT',
    needs: ['count'],
    async run(client, { publish }) {
      const author = new Author();
      await publish(...[1, 2, 3].map(() => author.event()));
      // Authenticates where the relay asks for that: most libraries repeat a REQ, but no COUNT.
      expect(await client.query({ authors: [author.pubkey] })).toHaveLength(3);
      expect(await client.count({ authors: [author.pubkey] })).toBe(3);
    },
  },
  // The last two steps restart the relay.
  {
    name: 'query after a restart',
    async run(client, { publish, restart }) {
      const author = new Author();
      const events = [author.event(), author.event()];
      await publish(events[0]!);
      expect(await client.query({ ids: [events[0]!.id] })).toEqual([events[0]]);
      await restart();
      await publish(events[1]!);
      await until(async () => {
        const answer = client.query({ authors: [author.pubkey] }).catch(() => []);
        const found = await Promise.race([answer, delay(ASK_AGAIN_MILLISECONDS).then(() => [])]);
        return found.length === 2;
      }, 'an answer after the restart');
    },
  },
  {
    name: 'live after a restart',
    needs: ['live'],
    async run(client, { publish, restart }) {
      const author = new Author();
      await client.live({ authors: [author.pubkey] });
      await restart();
      // One after the other, because a subscription may come back without the events it missed.
      await until(async () => {
        if (client.heard.length > 0) return true;
        await publish(author.event());
        await delay(100);
        return false;
      }, 'a live event after the restart');
    },
  },
];

async function queriesAtOnce(client: Client, { publish }: Stage, count: number): Promise<void> {
  const author = new Author();
  const events = Array.from({ length: count }, () => author.event());
  await publish(...events);
  // With a kind beside the id, so that no library merges the queries or answers by itself.
  const answers = await client.queries(events.map(({ id }) => ({ ids: [id], kinds: [1] })));
  expect(answers.filter(({ length }) => length === 1).length).toBe(count);
  expect(ids(answers.flat())).toEqual(ids(events));
}

async function pageThrough(client: Client, { pagedEvents }: Stage, limit: number): Promise<void> {
  const { author, events } = await pagedEvents();
  const found = await client.page({ authors: [author.pubkey], kinds: [1] }, limit);
  expect(new Set(found).size).toBe(events.length);
}

/** Returns 3,000 events of one author; many share a second, never more than a page holds. */
export function manyEvents(author: Author): NostrEvent[] {
  const events: NostrEvent[] = [];
  const start = now() - 100_000;
  for (let second = 0; events.length < PAGED_EVENTS; second++) {
    const count = EVENTS_A_SECOND[second % EVENTS_A_SECOND.length]!;
    for (let n = 0; n < count && events.length < PAGED_EVENTS; n++) {
      events.push(author.event({ created_at: start + second }));
    }
  }
  return events;
}

function ids(events: readonly NostrEvent[]): string[] {
  return events.map(({ id }) => id).sort();
}

function byTime(events: readonly NostrEvent[]): NostrEvent[] {
  return [...events].sort((a, b) => b.created_at - a.created_at);
}
