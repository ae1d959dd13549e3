// Spam score of an event: adds up points for duplicates, links, mentions, capitals, key reputation
// and listed words.

import type { Config } from '../../config/options.ts';
import { type SpamPoints, spamPoints } from '../../config/spam-points.ts';
import type { SpamPart } from '../../config/spam-signals.ts';
import type { NostrEvent } from '../../protocol/event.ts';
import type { Keys } from './author-cache.ts';
import type { RecentTexts } from './recent-texts.ts';
import { fingerprintOf } from './simhash.ts';
import { factsOf, type TextFacts } from './text.ts';
import type { WordList } from './word-list.ts';

/** Part of a score: one reason why an event looks like spam. */
interface ScorePart {
  readonly name: SpamPart;
  readonly points: number;
  /** Text for moderators: `5 links`. */
  readonly why: string;
}

export interface Score {
  readonly points: number;
  readonly parts: readonly ScorePart[];
}

/** Texts with fewer letters than this are not checked for capitals, as in "GM" and "HODL". */
const CAPITALS_LETTERS_MIN = 30;
const CAPITALS_SHARE = 0.7;
/** Bits of 64 that may differ in texts that count as the same, by the number of their words. */
const LONG_TEXT = { words: 16, bits: 11 };
const SHORT_TEXT = { words: 8, bits: 9 };
/** Maximum multiple of the duplicate points, and of the report points. */
const TIMES_MAX = 3;

const NOTHING: Score = { points: 0, parts: [] };

/** Scorer of events. All that it uses is bounded and in memory, or cached. */
export class Scorer {
  readonly #options: Config['spam'];
  readonly #points: SpamPoints;
  readonly #texts: RecentTexts;
  readonly #keys: Keys;
  readonly #words: WordList | null;

  constructor(options: Config['spam'], texts: RecentTexts, keys: Keys, words: WordList | null) {
    this.#options = options;
    this.#points = spamPoints(options.points);
    this.#texts = texts;
    this.#keys = keys;
    this.#words = words;
  }

  /**
   * Returns the score of an event, and records its text as seen. `now` is in seconds since 1970.
   */
  score(event: NostrEvent, now: number): Score {
    const options = this.#options;
    const each = this.#points;
    const text = factsOf(event.content);
    const parts: ScorePart[] = [];
    let points = 0;
    const add = (name: SpamPart, more: number, why: string) => {
      if (more <= 0) return;
      points += more;
      parts.push({ name, points: more, why });
    };
    const keys = this.#duplicates(event, text, now);
    if (keys >= options.duplicate_keys) {
      const times = Math.min(Math.floor(keys / options.duplicate_keys), TIMES_MAX);
      add('duplicate', each.duplicate * times, `the same text from ${keys} keys`);
    }
    const { people, hashtags } = tagsOf(event);
    const over = (name: SpamPart, found: number, free: number, more: number) => {
      if (found > free) add(name, (found - free) * more, `${found} ${name}`);
    };
    over('links', text.links, options.links_free, each.link);
    const mentions = Math.max(people, text.addresses);
    over('mentions', mentions, options.mentions_free, each.mention);
    over('hashtags', hashtags, options.hashtags_free, each.hashtag);
    const { letters, capitals } = text;
    if (letters >= CAPITALS_LETTERS_MIN && capitals > letters * CAPITALS_SHARE) {
      add('capitals', each.capitals, 'nearly all in capitals');
    }
    if (each['new-key'] > 0 || each.report > 0) {
      const { hasProfile, reports } = this.#keys.of(event.pubkey);
      if (!hasProfile) add('new-key', each['new-key'], 'a key without a profile here');
      const times = Math.min(reports, TIMES_MAX);
      add('reports', each.report * times, `reported by ${reports} trusted reporters`);
    }
    if (this.#words !== null) {
      const hits = this.#words.hits(text.words, event.content);
      add('words', hits.points, `the words ${hits.found.slice(0, 5).join(', ')}`);
    }
    return points === 0 ? NOTHING : { points, parts };
  }

  /** Returns the number of keys with nearly the same text in the window; 0 for short texts. */
  #duplicates(event: NostrEvent, text: TextFacts, now: number): number {
    const { duplicate_letters_min, duplicate_seconds } = this.#options;
    if (this.#points.duplicate === 0 || text.wordLetters < duplicate_letters_min) return 0;
    const { length } = text.words;
    const { bits } =
      length >= LONG_TEXT.words ? LONG_TEXT : length >= SHORT_TEXT.words ? SHORT_TEXT : { bits: 0 };
    const print = fingerprintOf(text.words);
    return this.#texts.see(print, event.pubkey, now, duplicate_seconds, bits).keys;
  }
}

function tagsOf({ tags }: NostrEvent): { people: number; hashtags: number } {
  let people = 0;
  let hashtags = 0;
  for (const [name] of tags) {
    if (name === 'p') people++;
    else if (name === 't') hashtags++;
  }
  return { people, hashtags };
}
