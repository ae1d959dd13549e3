// Seeded generator of events and filters, for tests that compare the relay with the oracle.

import { createHash } from 'node:crypto';
import { schnorr } from '@noble/curves/secp256k1.js';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { addressText, type RawFilter } from './oracle.ts';
import type { Random } from './random.ts';
import { signer } from './signer.ts';

/** Options of the generator. */
export interface GeneratorOptions {
  /** Time that the events lie around, in seconds since 1970. */
  now: number;
  /** Number of authors; few, so that their events affect each other. Default 4. */
  authors?: number;
  /** True for real BIP-340 signatures (`signer`). Default false: 128 hex characters. */
  sign?: boolean;
  /** Seconds: created_at lies in `now - timeSpread` … `now`, so ties are common. Default 12. */
  timeSpread?: number;
  /**
   * Expiration times to choose from, in seconds since 1970. Default: every second from `now - 3` to
   * `now + 16`.
   */
  expirations?: readonly number[];
}

/** Fields of an event that a test sets; the others are random. */
export type Draft = Partial<Pick<NostrEvent, 'created_at' | 'kind' | 'tags' | 'content'>> & {
  /** Index of the author. */
  author?: number;
};

/** Filter that a relay must reject, and the prefix of the rejection. */
export interface InvalidFilter {
  filter: unknown;
  prefix: 'invalid' | 'unsupported';
}

const KINDS = [
  0, 0, 1, 1, 1, 1, 3, 4, 5, 5, 5, 7, 41, 44, 45, 78, 999, 1000, 1059, 1059, 9999, 10_000, 10_002,
  19_999, 20_000, 20_001, 21_059, 29_999, 30_000, 30_023, 30_023, 30_078, 39_999, 40_000, 65_535,
];
const D_VALUES = ['', '', 'a', 'b', 'a:b', ':', 'A', 'ä', ' ', '"', 'a\nb', '\u{1f600}'];
const WORDS = [
  'nostr',
  'Nostr',
  '',
  'ünïcödé',
  '日本',
  '\u{1f600}\u{1f680}',
  'a"b',
  'a\\b',
  "it's",
  '\u2028',
];
const CONTENTS = [
  '',
  'hello',
  'quotes " and \\ and / and \b\f\n\r\t',
  'controls \u0000\u0001\u001f\u007f\u0080',
  '\u{10fff2}\ufdd1\uffff e\u0301 日本 \u{1f469}\u200d\u{1f680}',
  '","tags":[["t","nostr"]],"content":"["t","nostr"]',
  '\u2028\u2029',
];

/**
 * Generator of random events and filters that match, replace and delete each other often: few
 * authors, few seconds, few tag values, deletions of events that were or will be published, events
 * sent twice. Every event is well-formed and hashes to its id, and none is of a sort that a relay
 * rejects by policy (protected, kind 22242, kind 62); some have expired already.
 */
export class Generator {
  readonly random: Random;
  readonly now: number;
  /** Public keys of the authors, hex. */
  readonly authors: readonly string[];
  readonly #sign: readonly ((id: string) => string)[] | null;
  readonly #timeSpread: number;
  readonly #expirations: readonly number[];
  /** All events made so far, published or held back. */
  readonly #made: NostrEvent[] = [];
  /** Events that a deletion names already, but that were not handed out yet. */
  readonly #held: NostrEvent[] = [];

  constructor(random: Random, options: GeneratorOptions) {
    this.random = random;
    this.now = options.now;
    this.#timeSpread = options.timeSpread ?? 12;
    this.#expirations =
      options.expirations ?? Array.from({ length: 20 }, (_, n) => options.now - 3 + n);
    const names = Array.from({ length: options.authors ?? 4 }, () => random.hex(64));
    const secrets = names.map((name) => new Uint8Array(createHash('sha256').update(name).digest()));
    this.#sign = options.sign ? secrets.map(signer) : null;
    this.authors = options.sign
      ? secrets.map((secret) => Buffer.from(schnorr.getPublicKey(secret)).toString('hex'))
      : names;
  }

  /** Returns the next event to publish: a new one, one held back, or one handed out before. */
  next(): NostrEvent {
    if (this.#held.length > 0 && this.random.chance(0.1)) return this.#held.shift()!;
    if (this.#made.length > 0 && this.random.chance(0.1)) return this.random.pick(this.#made);
    return this.event();
  }

  /** Makes a new event; fields that the draft leaves open are random. */
  event(draft: Draft = {}): NostrEvent {
    const { random } = this;
    const kind = draft.kind ?? random.pick(KINDS);
    const author = draft.author ?? random.below(this.authors.length);
    const event = this.#finish(author, {
      created_at: draft.created_at ?? this.now - random.below(this.#timeSpread + 1),
      kind,
      tags: draft.tags ?? (kind === 5 ? this.#deletionTags(author) : this.#tags(kind)),
      content: draft.content ?? random.pick(CONTENTS),
    });
    this.#made.push(event);
    return event;
  }

  /**
   * Returns the AUTH event of an author, by index, for a challenge (NIP-42); it is not published.
   */
  auth(author: number, challenge: string, relay: string, created_at: number): NostrEvent {
    const tags = [
      ['relay', relay],
      ['challenge', challenge],
    ];
    return this.#finish(author, {
      created_at,
      kind: 22_242,
      tags,
      content: this.random.hex(8),
    });
  }

  /** Returns a valid filter that is likely to match a few events. */
  filter(): RawFilter {
    const { random } = this;
    const filter: RawFilter = {};
    if (this.#made.length === 0 || random.chance(0.03)) return filter;
    const aim = random.pick(this.#made);
    const others = random.sample(this.#made, 3);
    const group = random.shuffle([aim, ...others]);
    if (random.chance(0.15)) filter.ids = [...group.map((event) => event.id), random.hex(64)];
    if (random.chance(0.35)) filter.authors = group.map((event) => event.pubkey);
    if (random.chance(0.1)) filter.authors = this.#crowd();
    // The engine answers long lists of authors in another way than short ones.
    if (filter.authors && random.chance(0.4)) {
      filter.authors = [...filter.authors, ...Array.from({ length: 10 }, () => random.hex(64))];
    }
    if (random.chance(0.4)) filter.kinds = group.map((event) => event.kind);
    for (const letter of random.sample(['e', 'p', 't', 'T', 'd', 'a', 'k', 'x'], 2)) {
      const values = this.#valuesOf(letter, random.chance(0.8) ? group : this.#made);
      if (values.length > 0 && random.chance(0.6)) filter[`#${letter}`] = random.sample(values, 4);
    }
    if (random.chance(0.25)) filter.since = aim.created_at - random.below(3);
    if (random.chance(0.25)) filter.until = aim.created_at + random.below(3) - 1;
    if (random.chance(0.5)) filter.limit = random.below(12);
    if (random.chance(0.03)) filter[random.pick(['ids', 'authors', 'kinds', '#t'] as const)] = [];
    return filter;
  }

  /** Returns one to four filters, as a REQ carries them. */
  filters(): RawFilter[] {
    return Array.from({ length: 1 + this.random.below(4) }, () => this.filter());
  }

  /**
   * Returns a filter with one fault, in half of the cases merged with a valid filter if it can be.
   */
  invalidFilter(): InvalidFilter {
    const { filter, prefix } = this.random.pick(INVALID_FILTERS);
    const mixable = typeof filter === 'object' && filter !== null && !Array.isArray(filter);
    return mixable && this.random.chance(0.5)
      ? { filter: { ...this.filter(), ...filter }, prefix }
      : { filter, prefix };
  }

  #finish(author: number, body: Pick<NostrEvent, 'created_at' | 'kind' | 'tags' | 'content'>) {
    const pubkey = this.authors[author]!;
    const { created_at, kind, tags, content } = body;
    const text = JSON.stringify([0, pubkey, created_at, kind, tags, content]);
    const id = createHash('sha256').update(text).digest('hex');
    const sig = this.#sign?.[author]?.(id) ?? id + id;
    return { id, pubkey, created_at, kind, tags, content, sig };
  }

  #tags(kind: number): string[][] {
    const { random } = this;
    const tags: string[][] = [];
    if (kind >= 30_000 && kind < 40_000 && random.chance(0.9)) tags.push(...this.#dTags());
    if (kind === 1059 || kind === 21_059) tags.push(['p', random.pick(this.authors)]);
    const count = random.chance(0.03) ? 120 : random.below(5);
    for (let i = 0; i < count; i++) tags.push(this.#tag());
    if (random.chance(0.12)) tags.push(...this.#expirationTags());
    return random.chance(0.5) ? random.shuffle(tags) : tags;
  }

  #tag(): string[] {
    const { random } = this;
    const known = this.#made.length > 0 ? random.pick(this.#made) : null;
    switch (random.below(12)) {
      case 0:
        return ['e', known?.id ?? random.hex(64), 'wss://relay.example'];
      case 1:
        return ['p', random.pick(this.authors)];
      case 2:
        return ['a', (known && addressText(known)) ?? `30023:${random.pick(this.authors)}:a`];
      case 3:
        return random.pick([
          ['e', 'not hex'],
          ['p', random.hex(64).toUpperCase()],
          ['e'],
          ['p', ''],
        ]);
      case 4:
        return random.pick([[], [''], ['', 'x'], ['t'], ['1', 'x'], ['é', 'x'], ['tt', 'nostr']]);
      case 5:
        return ['d', random.pick(D_VALUES)];
      case 6:
        return ['k', String(random.pick(KINDS)), random.pick(WORDS)];
      case 7:
        return ['x', 'long'.repeat(random.below(60))];
      case 8:
        return ['T', random.pick(WORDS)];
      default:
        return ['t', random.pick(WORDS), random.pick(WORDS)];
    }
  }

  #dTags(): string[][] {
    const { random } = this;
    if (random.chance(0.1)) return [['d']];
    const d = ['d', random.pick(D_VALUES)];
    return random.chance(0.1) ? [d, ['d', random.pick(D_VALUES)]] : [d];
  }

  #expirationTags(): string[][] {
    const { random } = this;
    const value = random.chance(0.2)
      ? random.pick(['', 'soon', '-1', '1.5', '1e3', ' 5', '0', '99999999999999999999'])
      : String(random.pick(this.#expirations));
    const tag = random.chance(0.05) ? ['expiration'] : ['expiration', value];
    return random.chance(0.2) ? [tag, ['expiration', String(this.now - 1)]] : [tag];
  }

  #deletionTags(author: number): string[][] {
    const { random } = this;
    if (random.chance(0.3)) this.#hold(author);
    const tags: string[][] = [];
    for (const target of random.sample([...this.#made.slice(-12), ...this.#held], 4)) {
      const address = addressText(target);
      if (address === null || random.chance(0.4)) tags.push(['e', target.id]);
      if (address !== null && random.chance(0.7)) tags.push(['a', address, 'wss://relay.example']);
      if (random.chance(0.5)) tags.push(['k', String(target.kind)]);
    }
    if (random.chance(0.2)) tags.push(this.#strayTarget(author));
    if (tags.length > 0 && random.chance(0.2)) tags.push(random.pick(tags));
    return tags;
  }

  #strayTarget(author: number): string[] {
    const { random } = this;
    const own = this.authors[author]!;
    return random.pick([
      ['e', random.hex(64)],
      ['e', 'not an id'],
      ['e'],
      ['a', ''],
      ['a', `30023:${own}`],
      ['a', `030023:${own}:a`],
      ['a', `1:${own}:`],
      ['a', `0:${own}:a`],
      ['a', `30023:${own.toUpperCase()}:a`],
      ['a', `30023:${random.pick(this.authors)}:${random.pick(D_VALUES)}`],
    ]);
  }

  /** Makes an event, mostly of the same author, that is handed out after its deletion. */
  #hold(author: number): void {
    const kind = this.random.pick(KINDS.filter((other) => other !== 5));
    this.#held.push(this.random.chance(0.7) ? this.event({ kind, author }) : this.event({ kind }));
  }

  /** Returns some of the authors among unknown keys, like a follow list. */
  #crowd(): string[] {
    const strangers = Array.from({ length: 8 }, () => this.random.hex(64));
    return this.random.shuffle([...this.random.sample(this.authors, 8), ...strangers]);
  }

  /** Returns the values of tags of this letter that a valid filter may ask for. */
  #valuesOf(letter: string, events: readonly NostrEvent[]): string[] {
    const values = events.flatMap((event) =>
      event.tags.filter((tag) => tag[0] === letter && tag.length > 1).map((tag) => tag[1]!),
    );
    const isHex = letter === 'e' || letter === 'p';
    return isHex ? values.filter((value) => /^[0-9a-f]{64}$/.test(value)) : values;
  }
}

const HEX = 'a'.repeat(64);

/** Filters that a relay must reject under any limits. */
export const INVALID_FILTERS: readonly InvalidFilter[] = [
  ...[null, 1, 'text', true, [], [{}], undefined].map((filter) => invalid(filter)),
  ...['ids', 'authors', '#e', '#p'].flatMap((key) =>
    [
      [HEX.slice(1)],
      [`${HEX}a`],
      [HEX.toUpperCase()],
      [''],
      ['g'.repeat(64)],
      [1],
      [null],
      [HEX, 'a'],
    ]
      .map((values) => invalid({ [key]: values }))
      .concat([HEX, null, {}, 1, true].map((value) => invalid({ [key]: value }))),
  ),
  ...[['1'], [1.5], [-1], [65_536], [1e300], [null], [[1]], 1, '1', null, {}].map((kinds) =>
    invalid({ kinds }),
  ),
  ...[[1], [null], [['x']], ['\ud800'], ['a\udc00b'], 'x', null, {}].map((values) =>
    invalid({ '#t': values }),
  ),
  ...['since', 'until'].flatMap((key) =>
    ['1', 1.5, null, [1], {}, true, Number.POSITIVE_INFINITY].map((value) =>
      invalid({ [key]: value }),
    ),
  ),
  ...['1', 1.5, -1, null, [1], {}, true, Number.NaN].map((limit) => invalid({ limit })),
  ...[
    'search',
    'id',
    'Kinds',
    '#emoji',
    '#',
    '##',
    '#1',
    '#-',
    '#é',
    '&t',
    '',
    '_x',
    'constructor',
  ].map((key): InvalidFilter => ({ filter: { [key]: ['x'] }, prefix: 'unsupported' })),
];

function invalid(filter: unknown): InvalidFilter {
  return { filter, prefix: 'invalid' };
}
