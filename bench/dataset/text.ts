// Texts of generated events.

import type { Random } from './random.ts';
import { Random as Generator } from './random.ts';

const ONSETS = 'b c d f g h j k l m n p r s t v w y z br ch cl dr fl gr pl pr sh sl st th tr'.split(
  ' ',
);
const VOWELS = 'a e i o u a e i o ai ea ee ou'.split(' ');
const CODAS = ['', '', '', 'n', 'r', 's', 't', 'l', 'd', 'm', 'ck', 'nd', 'st', 'ng'];
const WORDS_COUNT = 4096;
const EMOJI = ['🤙', '⚡', '🫂', '😂', '🔥', '🚀', '💜', '👀', '🙏', '☕'];
const HASHTAGS_COUNT = 400;
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
/** First code point and number of characters: hiragana, Cyrillic, Hangul, CJK. */
const SCRIPTS = [
  [0x3042, 80],
  [0x430, 32],
  [0xac00, 400],
  [0x4e00, 600],
] as const;

/**
 * Vocabulary, the same for every seed of a dataset; the frequent words come first and are short.
 */
const words: readonly string[] = makeWords();

function makeWords(): string[] {
  const random = new Generator(0x776f6b, 0);
  const made = new Set<string>();
  while (made.size < WORDS_COUNT) {
    const syllables = 1 + Math.floor((made.size / WORDS_COUNT) * 2.5 + random.next() * 0.8);
    let word = '';
    for (let i = 0; i < syllables; i++) word += random.pick(ONSETS) + random.pick(VOWELS);
    made.add(word + random.pick(CODAS));
  }
  return [...made];
}

/** Returns words drawn after Zipf, which a compressor finds about as hard as a natural language. */
export function sentence(random: Random, count: number): string {
  let text = '';
  for (let i = 0; i < count; i++) {
    if (i > 0) text += random.chance(0.09) ? (random.chance(0.5) ? ', ' : '. ') : ' ';
    text += words[random.zipf(WORDS_COUNT, 3)];
  }
  return text;
}

/** Returns a lower-case hashtag without white space; the first few are the most used. */
export function hashtag(random: Random): string {
  return hashtagAt(random.zipf(HASHTAGS_COUNT, 4));
}

/** Returns the hashtag with this rank of popularity, 0 … 399. */
function hashtagAt(rank: number): string {
  return words[200 + rank]!;
}

/** Returns a note: about 130 characters on average, some with pictures, emoji, other scripts. */
export function noteText(random: Random): string {
  const length = Math.min(Math.max(random.logNormal(13, 0.9), 1), 400);
  let text = random.chance(0.07) ? foreign(random, length * 3) : sentence(random, length);
  if (random.chance(0.12)) text += ` ${random.pick(EMOJI)}`;
  if (random.chance(0.1)) text += `\n\nhttps://media.example/${random.hex(32)}.jpg`;
  if (random.chance(0.05)) text += `\nnostr:nevent1${random.characters(BECH32, 100)}`;
  if (random.chance(0.04)) text = `"${text}" \\o/`;
  return text;
}

/** Returns a long text with headings in Markdown, and `paragraphs` of about 400 characters. */
export function article(random: Random, paragraphs: number): string {
  const parts = [`# ${sentence(random, 5)}`];
  for (let i = 0; i < paragraphs; i++) {
    if (i % 4 === 3) parts.push(`## ${sentence(random, 4)}`);
    parts.push(`${sentence(random, random.between(40, 90))}.`);
  }
  return parts.join('\n\n');
}

/** Returns a text that looks encrypted: `bytes` random bytes in Base64. */
export function ciphertext(random: Random, bytes: number): string {
  const noise = Buffer.allocUnsafe(Math.ceil(bytes / 4) * 4);
  for (let at = 0; at < noise.length; at += 4) noise.writeUInt32LE(random.bits(), at);
  return noise.toString('base64', 0, bytes);
}

/** Returns a text that looks like an invoice or another bech32 text. */
export function bech32(random: Random, prefix: string, length: number): string {
  return prefix + random.characters(BECH32, length);
}

function foreign(random: Random, length: number): string {
  const [first, count] = random.pick(SCRIPTS);
  let text = '';
  for (let i = 0; i < length; i++) text += String.fromCodePoint(first + random.zipf(count, 5));
  return text;
}
