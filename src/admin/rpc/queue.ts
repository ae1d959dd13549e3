// RPC methods of the report queue page.

import { z } from 'zod';
import { jsonOf, type StoredBody } from '../../store/body/body.ts';
import * as sql from '../../store/database/sql.ts';
import type { Queued, QueuePage, Reported } from '../../web/api/moderation.ts';
import type { Author } from '../../web/api/people.ts';
import { authors } from '../authors.ts';
import { type Room, verb } from '../context.ts';
import { hiddenFrom, shownEvent } from '../private-events.ts';
import { findEvent } from '../removal.ts';
import { reportedPage } from '../reports.ts';
import { normalSubject } from '../subjects.ts';

const PAGE_MAX = 100;

/** RPC method `mod.queue`: returns a page of reports, with the events and author statistics. */
export const queueVerb = verb({
  name: 'mod.queue',
  params: z.strictObject({
    offset: z.int().nonnegative().max(10_000_000).default(0),
    limit: z.int().positive().max(PAGE_MAX).default(20),
  }),
  async run({ offset, limit }, room, caller): Promise<QueuePage> {
    const hidden = hiddenFrom(caller, room);
    const page = reportedPage(room, limit, offset);
    const found = page.flatMap((one) => {
      const json = one.isEvent ? jsonFor(room, one) : '';
      return json === null ? [] : { one, json };
    });
    const keys = found.map(({ one, json }) =>
      one.isEvent ? (JSON.parse(json) as { pubkey: string }).pubkey : one.target,
    );
    const people = await authors(room, keys);
    const items = found.map(
      ({ one, json }, at): Queued => ({
        ...one,
        event: one.isEvent ? shownEvent(json, hidden) : null,
        author: people[at]!,
      }),
    );
    return { items, next: page.length === limit ? offset + limit : null };
  },
});

/** RPC method `mod.about`: returns the statistics of a public key. */
export const aboutVerb = verb({
  name: 'mod.about',
  params: z.strictObject({ pubkey: z.string() }),
  async run({ pubkey }, room): Promise<Author> {
    const [author] = await authors(room, [normalSubject('pubkey', pubkey)]);
    return author!;
  },
});

/** Returns the JSON of a reported event; null if the event is gone. */
function jsonFor(room: Room, { target }: Reported): string | null {
  const seq = findEvent(room, target);
  if (seq === null) return null;
  const body = room.db.prepare(sql.SELECT_BODY).pluck().get(seq) as StoredBody | undefined;
  return body === undefined ? null : jsonOf(body);
}
