// Lookup of an event by id while the writer moves it from the tail of the log to the index: unit
// test over a database of its own.

import { expect, it } from 'vitest';
import { findEvent } from '../../src/moderation/removal.ts';
import { type Db, openReader, openWriter, termKey } from '../../src/store/database/open.ts';
import * as sql from '../../src/store/database/sql.ts';
import { TermHasher } from '../../src/store/index/terms.ts';
import { Author } from '../support/author.ts';
import { freshDirectory, testConfig } from '../support/relay.ts';

/** Database handle that calls `before` ahead of the second statement that is prepared. */
function watched(db: Db, before: () => void): Db {
  let statements = 0;
  const prepare = (text: string) => {
    if (++statements === 2) before();
    return db.prepare(text);
  };
  return { prepare } as unknown as Db;
}

it('finds an event that is indexed between its two reads', () => {
  const { storage } = testConfig(freshDirectory());
  const writer = openWriter(storage);
  const reader = openReader(storage);
  const hasher = new TermHasher(termKey(reader));
  const event = new Author().event();
  writer
    .prepare(
      'INSERT INTO event (seq, created_at, kind, expires_at, json) VALUES (1, ?, 1, NULL, ?)',
    )
    .run(event.created_at, JSON.stringify(event));
  const index = () => {
    writer
      .prepare('INSERT INTO posting (term, created_at, seq, kind) VALUES (?, ?, 1, 1)')
      .run(hasher.id(event.id), event.created_at);
    writer.prepare("UPDATE meta SET value = 1 WHERE name = 'indexed_seq'").run();
  };
  const find = (db: Db) => findEvent({ db, hasher } as never, event.id);
  expect(find(reader)).toBe(1);
  const meanwhile = watched(reader, index);
  // The event is still in the tail at the first read; with the index first it would be lost.
  expect(find(meanwhile)).toBe(1);
  index();
  expect(find(reader)).toBe(1);
  expect(reader.prepare(sql.SELECT_TAIL_SEQ_OF_ID).pluck().get(event.id)).toBeUndefined();
  reader.close();
  writer.close();
});
