// Removal of stored events by moderators; the writer carries it out in slices.

import type { ListEntry } from '../store/database/listed.ts';
import * as sql from '../store/database/sql.ts';
import type { Act, ModerationContext, ModerationReads } from './context.ts';

/** Maximum number of events removed in one transaction, between which the writer commits. */
const SLICE_EVENTS = 100;

interface Row {
  seq: number;
  created_at: number;
}

interface Heads {
  head: number;
  indexed: number;
}

/** Removes an event; returns false if it is not stored. */
export async function removeEvent(
  context: ModerationContext,
  id: string,
  act: Act,
): Promise<boolean> {
  const seq = findEvent(context, id);
  if (seq === null) return false;
  const why = { rule: 'moderation', by: act.by, text: act.reason };
  const [rows] = await context.change([{ t: 'remove', seqs: [seq], why }]);
  return rows === 1;
}

/** Returns the seq of a stored event in the log, or null. */
export function findEvent({ db, hasher }: ModerationReads, id: string): number | null {
  // The tail first: an event that the writer indexes meanwhile is in the index afterwards.
  const newest = db.prepare(sql.SELECT_TAIL_SEQ_OF_ID).pluck().get(id);
  const seq = newest ?? db.prepare(sql.SELECT_SEQ_OF_ID).pluck().get(hasher.id(id), id);
  return (seq as number | undefined) ?? null;
}

/**
 * Removes all stored events of an author in slices and returns their number. The author is already
 * on the list `author`, so that no event dated before now is accepted meanwhile; events with a
 * later date that were removed extend the ban up to their date.
 */
export async function removeAuthor(
  context: ModerationContext,
  pubkey: string,
  act: Act,
): Promise<number> {
  const at = context.clock.seconds();
  let until = at;
  let removed = 0;
  for (const slice of slicesOf(context, pubkey)) {
    until = Math.max(until, ...slice.map(({ created_at }) => created_at));
    const why = { rule: 'moderation', by: act.by, text: act.reason };
    const seqs = slice.map(({ seq }) => seq);
    const [rows] = await context.change([{ t: 'remove', seqs, why }]);
    removed += rows!;
  }
  const entry: ListEntry = { list: 'author', subject: pubkey, stance: 'ban', expiresAt: 0, until };
  await context.change([{ t: 'list', entry, at, ...act }]);
  context.publish({ t: 'put', entries: [entry] });
  return removed;
}

/** Continues the removals that a previous admin worker did not finish. */
export async function resumeRemovals(context: ModerationContext): Promise<void> {
  for (const { subject, until } of context.lists.entries('author')) {
    for (const slice of slicesOf(context, subject)) {
      const left = slice.filter(({ created_at }) => created_at <= until);
      if (left.length > 0) {
        await context.change([{ t: 'remove', seqs: left.map(({ seq }) => seq) }]);
      }
    }
  }
}

/**
 * Yields the author's events: first those of the log that the index did not hold at the start, then
 * those of the index, newest first.
 */
function* slicesOf({ db, hasher }: ModerationReads, pubkey: string): Generator<Row[]> {
  const { indexed, head } = db.prepare(sql.SELECT_HEADS).get() as Heads;
  const tail = db.prepare(sql.SELECT_AUTHOR_IN_LOG).all(indexed, head, pubkey) as Row[];
  for (let at = 0; at < tail.length; at += SLICE_EVENTS) {
    yield tail.slice(at, at + SLICE_EVENTS);
  }
  const page = db.prepare(sql.SELECT_AUTHOR_IN_INDEX);
  const term = hasher.author(pubkey);
  let last: Row = { created_at: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER };
  for (;;) {
    const rows = page.all(term, last.created_at, last.seq, pubkey, SLICE_EVENTS) as Row[];
    if (rows.length === 0) return;
    last = rows.at(-1)!;
    yield rows;
  }
}
