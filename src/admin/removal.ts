// Removal of stored events by moderators; the writer carries it out in slices.

import type { ListEntry } from '../store/database/listed.ts';
import * as sql from '../store/database/sql.ts';
import type { Room } from './context.ts';
import type { Act } from './moderation.ts';

/** Maximum number of events removed in one transaction, between which the writer commits. */
const SLICE_EVENTS = 100;

interface Heads {
  head: number;
  indexed: number;
}

/** Removes an event; returns false if it is not stored. */
export async function removeEvent(room: Room, id: string, act: Act): Promise<boolean> {
  const seq = findEvent(room, id);
  if (seq === null) return false;
  const why = { rule: 'moderation', by: act.by, text: act.reason };
  const [rows] = await room.change([{ t: 'remove', seqs: [seq], why }]);
  return rows === 1;
}

/** Returns the seq of a stored event in the log, or null. */
export function findEvent({ db, hasher }: Room, id: string): number | null {
  const indexed = db.prepare(sql.SELECT_SEQ_OF_ID).pluck().get(hasher.id(id), id);
  if (indexed !== undefined) return indexed as number;
  const tail = db.prepare(sql.SELECT_TAIL_SEQ_OF_ID).pluck().get(id);
  return tail === undefined ? null : (tail as number);
}

/**
 * Removes all stored events of an author in slices and returns their number. The author is already
 * on the list `author`, so that no event dated before now is accepted meanwhile; events with a
 * later date that were removed extend the ban up to their date.
 */
export async function removeAuthor(room: Room, pubkey: string, act: Act): Promise<number> {
  const at = room.clock.seconds();
  let until = at;
  let removed = 0;
  for (const slice of slicesOf(room, pubkey)) {
    until = Math.max(until, ...slice.map(({ createdAt }) => createdAt));
    const why = { rule: 'moderation', by: act.by, text: act.reason };
    const seqs = slice.map(({ seq }) => seq);
    const [rows] = await room.change([{ t: 'remove', seqs, why }]);
    removed += rows!;
  }
  const entry: ListEntry = { list: 'author', subject: pubkey, stance: 'ban', expiresAt: 0, until };
  await room.change([{ t: 'list', entry, at, ...act }]);
  room.publish({ t: 'put', entries: [entry] });
  return removed;
}

/** Continues the removals that a previous admin worker did not finish. */
export async function resumeRemovals(room: Room): Promise<void> {
  for (const { subject, until } of room.lists.entries('author')) {
    for (const slice of slicesOf(room, subject)) {
      const left = slice.filter(({ createdAt }) => createdAt <= until);
      if (left.length > 0) {
        await room.change([{ t: 'remove', seqs: left.map(({ seq }) => seq) }]);
      }
    }
  }
}

/**
 * Yields the author's events: first those of the log that the index did not hold at the start, then
 * those of the index, newest first.
 */
function* slicesOf(
  { db, hasher }: Room,
  pubkey: string,
): Generator<{ seq: number; createdAt: number }[]> {
  const { indexed, head } = db.prepare(sql.SELECT_HEADS).get() as Heads;
  const tail = db.prepare(sql.SELECT_AUTHOR_IN_LOG).all(indexed, head, pubkey) as Row[];
  for (let at = 0; at < tail.length; at += SLICE_EVENTS) {
    yield tail.slice(at, at + SLICE_EVENTS).map(toEntry);
  }
  const page = db.prepare(sql.SELECT_AUTHOR_IN_INDEX);
  const term = hasher.author(pubkey);
  let last: Row = { created_at: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER };
  for (;;) {
    const rows = page.all(term, last.created_at, last.seq, pubkey, SLICE_EVENTS) as Row[];
    if (rows.length === 0) return;
    last = rows.at(-1)!;
    yield rows.map(toEntry);
  }
}

interface Row {
  seq: number;
  created_at: number;
}

function toEntry({ seq, created_at }: Row): { seq: number; createdAt: number } {
  return { seq, createdAt: created_at };
}
