// Report queue of moderators (NIP-56).

import { eventOf, type StoredBody } from '../store/body/body.ts';
import * as sql from '../store/database/sql.ts';
import type { Reported, ReportRow } from '../web/api/moderation.ts';
import type { Room } from './context.ts';
import type { Act } from './moderation.ts';
import { findEvent } from './removal.ts';

interface Row {
  target: string;
  is_event: number;
  reports: number;
  trusted: number;
  types: string;
  first_at: number;
  last_at: number;
}

/**
 * Returns the report queue: targets with the most reports of trusted people first, then those with
 * the most reports. Leaves out deleted reports and removed events.
 */
export function reported(room: Room, max: number): Reported[] {
  return reportedPage(room, max, 0).filter(
    ({ target, isEvent }) => !isEvent || findEvent(room, target) !== null,
  );
}

/** Returns a page of the report queue, removed events included. */
export function reportedPage({ db }: Room, max: number, offset: number): Reported[] {
  const rows = db.prepare(sql.SELECT_REPORTED).all(max, offset) as Row[];
  return rows.map(({ target, is_event, reports, trusted, types, first_at, last_at }) => ({
    target,
    isEvent: is_event === 1,
    reports,
    trusted,
    types: types.split(',').sort(),
    firstAt: first_at,
    lastAt: last_at,
  }));
}

/** Returns the reports about a target, at most `max`. */
export function reportsOf({ db }: Room, target: string, max: number): ReportRow[] {
  const rows = db.prepare(sql.SELECT_REPORTS_OF).all(target, max) as (Omit<ReportRow, 'content'> & {
    json: StoredBody;
  })[];
  return rows.map(({ json, ...row }) => ({ ...row, content: eventOf(json).content }));
}

/** Takes a target off the queue until it is reported again. Returns the number of reports. */
export async function dismissReports(room: Room, target: string, act: Act): Promise<number> {
  const at = room.clock.seconds();
  const [rows] = await room.change([
    { t: 'closeReports', target },
    { t: 'audit', at, action: 'dismiss reports', subject: target, ...act },
  ]);
  return rows!;
}
