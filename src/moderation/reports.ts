// Report queue of moderators (NIP-56).

import { eventOf, type StoredBody } from '../store/body/body.ts';
import * as sql from '../store/database/sql.ts';
import type { Reported, ReportRow } from '../web/api/moderation.ts';
import type { Act, ModerationContext, ModerationReads } from './context.ts';
import { findEvent } from './removal.ts';

/** Row of `SELECT_REPORTED`. */
type Row = Omit<Reported, 'isEvent' | 'types'> & { isEvent: 0 | 1; types: string };

/**
 * Returns the report queue: targets with the most reports of trusted people first, then those with
 * the most reports. Leaves out deleted reports and removed events.
 */
export function reported(context: ModerationReads, max: number): Reported[] {
  return reportedPage(context, max, 0).filter(
    ({ target, isEvent }) => !isEvent || findEvent(context, target) !== null,
  );
}

/** Returns a page of the report queue, removed events included. */
export function reportedPage({ db }: ModerationReads, max: number, offset: number): Reported[] {
  const rows = db.prepare(sql.SELECT_REPORTED).all(max, offset) as Row[];
  return rows.map(({ isEvent, types, ...row }) => {
    return { ...row, isEvent: isEvent === 1, types: types.split(',').sort() };
  });
}

/** Returns the reports about a target, at most `max`. */
export function reportsOf({ db }: ModerationReads, target: string, max: number): ReportRow[] {
  const rows = db.prepare(sql.SELECT_REPORTS_OF).all(target, max) as (Omit<ReportRow, 'content'> & {
    json: StoredBody;
  })[];
  return rows.map(({ json, ...row }) => ({ ...row, content: eventOf(json).content }));
}

/** Takes a target off the queue until it is reported again. Returns the number of reports. */
export async function dismissReports(
  context: ModerationContext,
  target: string,
  { by, reason }: Act,
): Promise<number> {
  const at = context.clock.seconds();
  const [rows] = await context.change([
    { t: 'closeReports', target },
    { t: 'audit', at, by, action: 'dismiss reports', subject: target, reason },
  ]);
  return rows!;
}
