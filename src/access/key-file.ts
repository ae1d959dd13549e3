// Parser for files with lists of public keys.

import { parsePubkey } from '../protocol/nip19.ts';

/** Contents of a key file at a point in time. */
export interface KeyFile {
  keys: string[];
  /** Time at which the next key expires, in seconds since 1970; Infinity: none does. */
  nextEnd: number;
  /** Invalid lines, with the reason. */
  problems: { line: number; text: string }[];
}

/**
 * Reads a list of keys: one a line, as 64 hex characters or npub1…, optionally followed by the
 * time until which it is valid (a date like 2027-01-31, a date with a time, or seconds since 1970);
 * # begins a comment. An invalid line is skipped and reported, because the program that writes the
 * file may be half done.
 */
export function readKeyFile(text: string, now: number): KeyFile {
  const file: KeyFile = { keys: [], nextEnd: Number.POSITIVE_INFINITY, problems: [] };
  let line = 0;
  for (const raw of text.split('\n')) {
    line++;
    const [name = '', ...rest] = raw.replace(/#.*/, '').trim().split(/\s+/);
    if (name === '') continue;
    const key = parsePubkey(name);
    const end = rest.length === 0 ? Number.POSITIVE_INFINITY : momentOf(rest.join(' '));
    if (key === undefined) {
      file.problems.push({ line, text: 'no public key as 64 hex characters or npub1…' });
    } else if (end === undefined) {
      file.problems.push({ line, text: 'no date like 2027-01-31 behind the key' });
    } else if (end > now) {
      file.keys.push(key);
      file.nextEnd = Math.min(file.nextEnd, end);
    }
  }
  return file;
}

/** Returns seconds since 1970. A date without a time means its whole day, in UTC. */
function momentOf(text: string): number | undefined {
  if (/^\d{9,12}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return undefined;
  const isDay = text.length === 10;
  const milliseconds = Date.parse(isDay ? `${text}T00:00:00Z` : text);
  if (Number.isNaN(milliseconds)) return undefined;
  return Math.floor(milliseconds / 1000) + (isDay ? 86_400 : 0);
}
