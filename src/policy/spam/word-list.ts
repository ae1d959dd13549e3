// Word list file of the operator for the spam score, reloaded on change.

import { readFileSync, statSync } from 'node:fs';
import { compileRe2, type RE2JS } from '../../lib/re2.ts';

/** Points of an entry that names none. */
const POINTS = 50;
const LOOK_MILLISECONDS = 1_000;

interface Expression {
  readonly text: string;
  readonly points: number;
  readonly pattern: RE2JS;
}

/** Entries of a word list that occur in a text, and the sum of their points. */
interface WordHits {
  points: number;
  found: string[];
}

/**
 * Word list from a file, one entry a line: a word or a phrase, or `/an expression/` (RE2) that is
 * searched in the whole text. Points may precede an entry (`80 free airdrop`); a line that begins
 * with `#` is a comment. The file is read again when it has changed.
 */
export class WordList {
  readonly #file: string;
  readonly #complain: (text: string) => void;
  #words = new Map<string, number>();
  #phrases: { words: string; points: number }[] = [];
  #expressions: Expression[] = [];
  #changedAt = -1;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /**
   * Reads the file. `complain` receives what is wrong with it; the valid lines apply all the same.
   */
  constructor(file: string, complain: (text: string) => void) {
    this.#file = file;
    this.#complain = complain;
    this.#look();
  }

  /** Returns the entries that occur in a text. `words` are those of `text` as made by `factsOf`. */
  hits(words: readonly string[], text: string): WordHits {
    this.#look();
    const hits: WordHits = { points: 0, found: [] };
    const add = (entry: string, points: number) => {
      hits.points += points;
      hits.found.push(entry);
    };
    if (this.#words.size > 0) {
      for (const word of new Set(words)) {
        const points = this.#words.get(word);
        if (points !== undefined) add(word, points);
      }
    }
    if (this.#phrases.length > 0) {
      const all = ` ${words.join(' ')} `;
      for (const { words: phrase, points } of this.#phrases) {
        if (all.includes(phrase)) add(phrase.trim(), points);
      }
    }
    for (const { text: source, points, pattern } of this.#expressions) {
      if (pattern.matcher(text).find()) add(`/${source}/`, points);
    }
    return hits;
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_MILLISECONDS) return;
    this.#lookedAt = now;
    const stat = statSync(this.#file, { throwIfNoEntry: false });
    if (stat === undefined) {
      if (this.#changedAt === -1) this.#complain(`there is no file ${this.#file}`);
      this.#changedAt = 0;
    } else if (stat.mtimeMs !== this.#changedAt) {
      try {
        this.#read(readFileSync(this.#file, 'utf8'));
        this.#changedAt = stat.mtimeMs;
      } catch (error) {
        this.#complain(`${this.#file} cannot be read: ${(error as Error).message}`);
      }
    }
  }

  #read(text: string): void {
    this.#words = new Map();
    this.#phrases = [];
    this.#expressions = [];
    for (const [i, line] of text.split('\n').entries()) {
      const found = /^\s*(?:(\d{1,4})\s+)?(.*?)\s*$/.exec(line.replace(/^\s*#.*/, ''))!;
      const points = Number(found[1] ?? POINTS);
      const entry = found[2]!;
      const expression = /^\/(.+)\/$/.exec(entry)?.[1];
      if (expression !== undefined) this.#addExpression(expression, points, i + 1);
      else if (entry !== '') this.#addWords(entry, points);
    }
  }

  #addWords(entry: string, points: number): void {
    const words =
      entry
        .toLowerCase()
        .normalize('NFKC')
        .match(/\p{L}+/gu) ?? [];
    if (words.length === 1) this.#words.set(words[0]!, points);
    else if (words.length > 1) this.#phrases.push({ words: ` ${words.join(' ')} `, points });
  }

  #addExpression(text: string, points: number, line: number): void {
    try {
      this.#expressions.push({ text, points, pattern: compileRe2(text) });
    } catch (error) {
      const why = (error as Error).message;
      this.#complain(`${this.#file} line ${line}: ${text} is not an RE2 expression (${why})`);
    }
  }
}
