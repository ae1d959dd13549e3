// Drafts of the sorts of events in a dataset.

import type { NostrEvent } from '../../src/protocol/event.ts';
import { EVENTS_PER_AUTHOR } from './parameters.ts';
import type { Random } from './random.ts';
import { article, bech32, ciphertext, hashtag, noteText, sentence } from './text.ts';

/** Sort of event, by its use on the network. */
export type Sort =
  | 'profile'
  | 'relayList'
  | 'followList'
  | 'note'
  | 'reply'
  | 'deepReply'
  | 'reaction'
  | 'repost'
  | 'zap'
  | 'wrap'
  | 'appData'
  | 'article'
  | 'comment'
  | 'version';

/** Event without the author's key, time and signature. */
export interface Draft {
  kind: number;
  /** Number of the author; not used if the event has a key of its own (`secret`). */
  author: number;
  secret?: Uint8Array;
  tags: string[][];
  content: string;
  /** Seconds by which created_at is older than the event's place in the dataset. */
  ageSeconds: number;
}

/** Inputs of a draft. Events are named by their index. */
export interface DraftContext {
  readonly index: number;
  readonly random: Random;
  readonly authors: number;
  pubkey(author: number): string;
  /** Returns an earlier note that starts a thread. */
  note(): number;
  /** Returns an earlier reply; a note if there is none. */
  reply(): number;
  id(index: number): string;
  unsigned(index: number): Omit<NostrEvent, 'id' | 'sig'>;
  /** Returns the signed event as JSON. */
  json(index: number): string;
}

const RELAYS = [
  'wss://relay.example',
  'wss://nostr.example',
  'wss://inbox.example',
  'wss://r.example',
];
const FOLLOWS_MAX = 850;
/** Number of services that write zap receipts. */
const WALLETS = 12;
const VERSION_D_VALUES = 6;
/** Number of events for each author in a dataset of versions. */
const VERSIONS_PER_AUTHOR = 40;

/** Makers of drafts by sort. Sizes and tags follow what public relays hold. */
export const drafts: Readonly<Record<Sort, (context: DraftContext) => Draft>> = {
  profile({ index, random }) {
    const name = sentence(random, 1);
    const content = JSON.stringify({
      name,
      display_name: `${name} ${sentence(random, 1)}`,
      about: sentence(random, random.between(3, 40)),
      picture: `https://media.example/${random.hex(40)}.jpg`,
      banner: `https://media.example/${random.hex(40)}.webp`,
      nip05: `${name}@people.example`,
      lud16: `${name}@wallet.example`,
      website: `https://${name}.example`,
    });
    return draft(0, Math.floor(index / EVENTS_PER_AUTHOR), [], content, 0);
  },

  relayList({ index, random }) {
    const tags = Array.from({ length: random.between(2, 8) }, (_, at) => {
      const tag = ['r', `${random.pick(RELAYS)}/${at}`];
      return random.chance(0.4) ? [...tag, random.pick(['read', 'write'])] : tag;
    });
    return draft(10_002, Math.floor(index / EVENTS_PER_AUTHOR), tags, '', 0);
  },

  followList({ index, random, authors, pubkey }) {
    const wanted = Math.min(Math.max(random.logNormal(75, 0.9), 3), FOLLOWS_MAX, authors - 1);
    const followed = new Set<number>();
    while (followed.size < wanted) {
      followed.add(random.chance(0.5) ? random.zipf(authors) : random.below(authors));
    }
    const tags = [...followed].map((author) => ['p', pubkey(author)]);
    return draft(3, Math.floor(index / EVENTS_PER_AUTHOR), tags, '', 0);
  },

  note({ random, authors }) {
    const tags: string[][] = [];
    if (random.chance(0.25)) {
      const count = random.between(1, 5);
      for (let i = 0; i < count; i++) tags.push(['t', hashtag(random)]);
    }
    if (random.chance(0.1)) {
      tags.push([
        'imeta',
        `url https://media.example/${random.hex(32)}.jpg`,
        'm image/jpeg',
        'dim 1200x800',
      ]);
    }
    return draft(1, random.zipf(authors), tags, noteText(random), jitter(random));
  },

  reply(context) {
    const { random, authors } = context;
    const root = context.note();
    const writer = random.zipf(authors);
    const { pubkey } = context.unsigned(root);
    const tags = [
      ['e', context.id(root), random.pick(RELAYS), 'root', pubkey],
      ['p', pubkey],
      ...mentions(context, 0.8),
    ];
    if (random.chance(0.08)) tags.push(['t', hashtag(random)]);
    return draft(1, writer, tags, noteText(random), jitter(random));
  },

  deepReply(context) {
    const { random, authors } = context;
    const writer = random.zipf(authors);
    const parent = context.reply();
    const answered = context.unsigned(parent);
    const root = answered.tags.find(([name]) => name === 'e') ?? ['e', context.id(parent)];
    const tags = [
      ['e', root[1]!, random.pick(RELAYS), 'root'],
      ['e', context.id(parent), random.pick(RELAYS), 'reply', answered.pubkey],
      ['p', answered.pubkey],
      ...answered.tags.filter(([name]) => name === 'p').slice(0, 6),
    ];
    return draft(1, writer, distinct(tags), noteText(random), jitter(random));
  },

  reaction(context) {
    const { random, authors } = context;
    const writer = random.zipf(authors, 30);
    const target = random.chance(0.75) ? context.note() : context.reply();
    const { pubkey, kind } = context.unsigned(target);
    const tags = [
      ['e', context.id(target), random.pick(RELAYS), pubkey],
      ['p', pubkey, random.pick(RELAYS)],
      ['k', String(kind)],
    ];
    const content = random.chance(0.7) ? '+' : random.pick(['🤙', '❤️', '😂', '🔥', '👍', '🫂']);
    return draft(7, writer, tags, content, jitter(random));
  },

  repost(context) {
    const { random, authors } = context;
    const target = context.note();
    const tags = [
      ['e', context.id(target), random.pick(RELAYS)],
      ['p', context.unsigned(target).pubkey],
    ];
    const writer = random.zipf(authors);
    return draft(6, writer, tags, random.chance(0.8) ? context.json(target) : '', jitter(random));
  },

  zap(context) {
    const { random, authors, pubkey } = context;
    const target = random.chance(0.8) ? context.note() : context.reply();
    const receiver = context.unsigned(target).pubkey;
    const sender = pubkey(random.zipf(authors));
    const id = context.id(target);
    const amount = String(random.pick([21, 42, 100, 500, 1000, 5000]) * 1000);
    // The request's id and signature are digits of the right number: no relay looks at them.
    const request = JSON.stringify({
      id: random.hex(64),
      pubkey: sender,
      created_at: 1_780_000_000,
      kind: 9734,
      tags: [
        ['relays', ...RELAYS],
        ['amount', amount],
        ['p', receiver],
        ['e', id],
      ],
      content: random.chance(0.3) ? sentence(random, random.between(1, 8)) : '',
      sig: random.hex(128),
    });
    const tags = [
      ['p', receiver],
      ['e', id],
      ['P', sender],
      ['bolt11', bech32(random, `lnbc${amount}n1`, 280)],
      ['description', request],
      ['preimage', random.hex(64)],
    ];
    return draft(9735, random.zipf(Math.min(WALLETS, authors), 1), tags, '', 0);
  },

  wrap({ random, authors, pubkey }) {
    // A key that is used once, and a time up to two days in the past (NIP-59).
    const secret = Buffer.from(`1${random.hex(63)}`, 'hex');
    const bytes = random.pick([576, 832, 1088, 1600]);
    const tags = [['p', pubkey(random.zipf(authors)), random.pick(RELAYS)]];
    const age = random.below(172_800);
    return { ...draft(1059, 0, tags, ciphertext(random, bytes), age), secret };
  },

  appData({ index, random, authors }) {
    const d = `${random.pick(['settings', 'mute', 'read-state', 'drafts'])}/${index}`;
    const tags = [
      ['d', d],
      ['client', sentence(random, 1)],
    ];
    return draft(
      30_078,
      random.zipf(authors, 50),
      tags,
      ciphertext(random, random.between(80, 900)),
      0,
    );
  },

  article({ index, random, authors }) {
    const tags = [
      ['d', `${sentence(random, 3).replaceAll(/[^a-z]+/g, '-')}-${index}`],
      ['title', sentence(random, 6)],
      ['summary', sentence(random, 25)],
      ['published_at', String(1_780_000_000 - random.below(10_000_000))],
      ['image', `https://media.example/${random.hex(40)}.jpg`],
      ...Array.from({ length: random.between(1, 6) }, () => ['t', hashtag(random)]),
    ];
    return draft(30_023, random.zipf(authors, 40), tags, article(random, random.between(4, 24)), 0);
  },

  comment(context) {
    const { random, authors } = context;
    const root = context.note();
    const { pubkey } = context.unsigned(root);
    const id = context.id(root);
    const tags = [
      ['E', id, random.pick(RELAYS), pubkey],
      ['K', '1'],
      ['P', pubkey],
      ['e', id, random.pick(RELAYS), pubkey],
      ['k', '1'],
      ['p', pubkey],
    ];
    return draft(1111, random.zipf(authors), tags, noteText(random), jitter(random));
  },

  version({ random, authors, index }) {
    // Few authors and few addresses, so that most events replace another one or come too late.
    const people = Math.max(Math.floor(authors * EVENTS_PER_AUTHOR) / VERSIONS_PER_AUTHOR, 2);
    const author = random.below(Math.floor(people));
    const kind = random.pick([0, 3, 10_002, 30_023, 30_078, 30_078]);
    const tags = kind < 30_000 ? [] : [['d', `d${random.below(VERSION_D_VALUES)}`]];
    tags.push(['client', `version ${index}`]);
    return draft(kind, author, tags, sentence(random, random.between(5, 60)), random.below(20));
  },
};

function draft(
  kind: number,
  author: number,
  tags: string[][],
  content: string,
  ageSeconds: number,
): Draft {
  return { kind, author, tags, content, ageSeconds };
}

/** Returns a delay in seconds: events reach a relay some seconds late, a few of them much later. */
function jitter(random: Random): number {
  return random.chance(0.02) ? random.below(3600) : random.below(4);
}

/** Returns `p` tags of up to four more people named in a reply. */
function mentions({ random, authors, pubkey }: DraftContext, probability: number): string[][] {
  const tags: string[][] = [];
  while (tags.length < 4 && random.chance(probability - tags.length * 0.2)) {
    tags.push(['p', pubkey(random.zipf(authors))]);
  }
  return tags;
}

function distinct(tags: string[][]): string[][] {
  const seen = new Set<string>();
  return tags.filter(([name, value]) => {
    const key = `${name}:${value}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
