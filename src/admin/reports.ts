import { eventOf, type StoredBody } from '../storage/body.ts';
import * as sql from '../storage/sql.ts';
import type { Act } from './moderation.ts';
import type { Reported, ReportRow } from './page-api/moderation.ts';
import { findEvent } from './removal.ts';
import type { Room } from './room.ts';

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
 * What waits for a moderator: what trusted people report comes first, then what many report. Reports that
 * were deleted are left out, and so are events that are gone.
 */
export function reported(room: Room, max: number): Reported[] {
  return reportedPage(room, max, 0).filter(
    ({ target, isEvent }) => !isEvent || findEvent(room, target) !== null,
  );
}

/** A page of it, events that are gone included. */
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

/** Who reports a target, and what they say. */
export function reportsOf({ db }: Room, target: string, max: number): ReportRow[] {
  const rows = db.prepare(sql.SELECT_REPORTS_OF).all(target, max) as (Omit<ReportRow, 'content'> & {
    json: StoredBody;
  })[];
  return rows.map(({ json, ...row }) => ({ ...row, content: eventOf(json).content }));
}

/** Takes a target off the queue; later reports put it there again. Returns how many reports there were. */
export async function dismissReports(room: Room, target: string, act: Act): Promise<number> {
  const at = room.clock.seconds();
  const [rows] = await room.change([
    { t: 'closeReports', target },
    { t: 'audit', at, action: 'dismiss reports', subject: target, ...act },
  ]);
  return rows!;
}
