// Tests of the event tree and its snapshots over a database of their own.

import { beforeEach, describe, expect, it } from 'vitest';
import type { IdSet } from '../../src/negentropy/id-set.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { PrivateKinds } from '../../src/protocol/privacy.ts';
import { type Db, openReader, openWriter } from '../../src/store/database/open.ts';
import { EventTree } from '../../src/sync/event-tree.ts';
import { Snapshots } from '../../src/sync/snapshots.ts';
import { Author } from '../support/author.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory, testConfig } from '../support/relay.ts';

const random = new Random(testSeed('sync/event-tree'));
const NOW = 1_700_000_000;
const author = new Author();

let writer: Db;
let reader: Db;
let head = 0;
beforeEach(() => {
  const { storage } = testConfig(freshDirectory());
  writer = openWriter(storage);
  reader = openReader(storage);
  head = 0;
  return () => {
    reader.close();
    writer.close();
  };
});

function note(draft: object = {}): NostrEvent {
  return author.event({ created_at: NOW - random.below(1000), ...draft });
}

/** Stores an event, and returns what the writer reports of it. */
function store(event: NostrEvent, expiresAt = 0) {
  const { id, created_at: createdAt, kind, pubkey, tags, content, sig } = event;
  const json = JSON.stringify({ id, pubkey, created_at: createdAt, kind, tags, content, sig });
  writer
    .prepare('INSERT INTO event (seq, created_at, kind, expires_at, json) VALUES (?, ?, ?, ?, ?)')
    .run(++head, createdAt, kind, expiresAt || null, json);
  return { createdAt, kind, expiresAt, id: Buffer.from(id, 'hex') };
}

function remove(seq: number): void {
  writer.prepare('DELETE FROM event WHERE seq = ?').run(seq);
}

function idsOf(set: IdSet): string[] {
  return Array.from({ length: set.size }, (_, at) => Buffer.from(set.at(at).id).toString('hex'));
}

function sorted(events: readonly NostrEvent[]): string[] {
  return events
    .toSorted((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
}

function newTree(): EventTree {
  return new EventTree(reader, new PrivateKinds([4, 1059]));
}

describe('the event tree', () => {
  it('has all events but private ones, whatever changes while it is loaded', () => {
    const before = Array.from({ length: 2500 }, () => note());
    for (const event of before) store(event);
    store(note({ kind: 4 }));
    const tree = newTree();
    tree.begin(head);
    expect([tree.isLoading, tree.isComplete]).toEqual([true, false]);
    // One slice; then changes of what was loaded, of what was not, and a new event.
    tree.load(performance.now() + 0.01);
    expect(tree.isLoading).toBe(true);
    for (const n of [0, 2400]) {
      remove(n + 1);
      tree.remove(before[n]!.created_at, Buffer.from(before[n]!.id, 'hex'));
    }
    const after = note();
    tree.add(store(after));
    tree.add(store(note({ kind: 1059 })));
    tree.load(Number.POSITIVE_INFINITY);
    expect([tree.isLoading, tree.isComplete]).toEqual([false, true]);
    const kept = before.filter((_, n) => n !== 0 && n !== 2400);
    expect(idsOf(tree.snapshot(NOW))).toEqual(sorted([...kept, after]));
    expect(tree.size).toBe(kept.length + 1);
    tree.end();
    expect([tree.isFollowing, tree.isComplete, tree.size]).toEqual([false, false, 0]);
  });

  it('of an empty log is complete at once', () => {
    const tree = newTree();
    tree.begin(0);
    expect(tree.isComplete).toBe(true);
    const event = note();
    tree.add(store(event));
    expect(idsOf(tree.snapshot(NOW))).toEqual([event.id]);
  });

  it('has no event from the second of its expiration on', () => {
    const [lasting, first, second, removed] = [note(), note(), note(), note()];
    store(lasting);
    store(first, NOW + 10);
    const tree = newTree();
    tree.begin(head);
    tree.load(Number.POSITIVE_INFINITY);
    tree.add(store(second, NOW + 20));
    tree.add(store(removed, NOW + 5));
    tree.remove(removed.created_at, Buffer.from(removed.id, 'hex'));
    expect(idsOf(tree.snapshot(NOW + 9))).toEqual(sorted([lasting, first, second]));
    expect(idsOf(tree.snapshot(NOW + 10))).toEqual(sorted([lasting, second]));
    expect(idsOf(tree.snapshot(NOW + 20))).toEqual([lasting.id]);
  });
});

describe('snapshots', () => {
  it('do not change, and their memory is known', () => {
    const events = Array.from({ length: 5000 }, () => note());
    for (const event of events) store(event);
    const tree = newTree();
    const snapshots = new Snapshots();
    tree.begin(head);
    tree.load(Number.POSITIVE_INFINITY);
    expect(snapshots.oldest(tree)).toBeNull();
    const first = snapshots.take(tree, NOW);
    expect(snapshots.take(tree, NOW)).toBe(first);
    expect(snapshots.oldest(tree)).toEqual({ set: first, bytes: 0 });
    const more = Array.from({ length: 50 }, () => note());
    for (const event of more) tree.add(store(event));
    const { bytes } = snapshots.oldest(tree)!;
    // At most all chunks were copied, each of which has 40 bytes an event and some free places.
    expect(bytes).toBeGreaterThan(40);
    expect(bytes).toBeLessThan(5050 * 41 * 1.5);
    expect(idsOf(first)).toEqual(sorted(events));
    const second = snapshots.take(tree, NOW);
    expect(idsOf(second)).toEqual(sorted([...events, ...more]));
    snapshots.release(first);
    expect(snapshots.oldest(tree)!.set).toBe(first);
    snapshots.release(first);
    expect(snapshots.oldest(tree)).toEqual({ set: second, bytes: 0 });
    snapshots.release(second);
    expect(snapshots.oldest(tree)).toBeNull();
  });
});
