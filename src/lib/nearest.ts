// Suggestions for misspelt words, by edit distance.

import { element } from './assert.ts';

/**
 * Returns the number of edits between two words: insert, delete, replace, or swap of two neighbours
 * (the "optimal string alignment" form of Damerau and Levenshtein).
 */
export function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const row = [i];
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1];
      const replaced = element(previous[j - 1]) + (same ? 0 : 1);
      let cost = Math.min(element(previous[j]) + 1, element(row[j - 1]) + 1, replaced);
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        cost = Math.min(cost, element(beforePrevious[j - 2]) + 1);
      }
      row.push(cost);
    }
    beforePrevious = previous;
    previous = row;
  }
  return element(previous[right.length]);
}

/**
 * Returns the candidate that `word` most likely meant, or undefined if none is close.
 *
 * Case, the separators `_ - .` and the order of the parts are ignored, because operators who come
 * from other relays write `max_connections` for `connections_max`. Up to two fifths of the letters
 * may differ. The first of several equally close candidates wins.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = wordDistance(word, candidate);
    const allowed = Math.max(1, Math.floor(Math.max(word.length, candidate.length) * 0.4));
    if (distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function wordDistance(left: string, right: string): number {
  const leftParts = left.toLowerCase().split(/[-_.\s]+/);
  const rightParts = right.toLowerCase().split(/[-_.\s]+/);
  const asWritten = editDistance(leftParts.join('_'), rightParts.join('_'));
  if (leftParts.length === 1 && rightParts.length === 1) return asWritten;
  const sorted = editDistance(leftParts.sort().join('_'), rightParts.sort().join('_'));
  return Math.min(asWritten, sorted + 1);
}
