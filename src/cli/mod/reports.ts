// Actions `wok mod reports`, `report` and `dismiss`: the queue of reported events and keys.

import { timeText } from '../../lib/duration.ts';
import type { Reported, ReportRow } from '../../web/api/moderation.ts';
import { askRelay } from '../control.ts';
import { type Action, columns, limitOf, tell } from './action.ts';

const reports: Action = {
  args: '[event-id-or-pubkey]',
  summary: 'Show the report queue, trusted reporters first; or the reports about one subject',
  async run(call, args) {
    if (args.length === 1) return report.run(call, args);
    const limit = limitOf(call);
    const rows = await askRelay<Reported[]>(call, 'mod.reports', { limit });
    tell(call, rows, () => (rows.length === 0 ? 'The report queue is empty.' : queueText(rows)));
  },
};

function queueText(rows: readonly Reported[]): string {
  return columns(
    rows.map(({ target, isEvent, reports, trusted, types, lastAt }) => [
      isEvent ? 'event' : 'pubkey',
      target,
      `${reports} reports${trusted > 0 ? `, ${trusted} trusted` : ''}`,
      types.join(', '),
      timeText(lastAt),
    ]),
  );
}

const report: Action = {
  args: '<event-id-or-pubkey>',
  summary: 'Show its reporters and their texts',
  async run(call, [target]) {
    const limit = limitOf(call);
    const rows = await askRelay<ReportRow[]>(call, 'mod.report', { target, limit });
    tell(call, rows, () =>
      columns(
        rows.map(({ reporter, type, at, trusted, content }) => [
          timeText(at),
          reporter,
          trusted === 1 ? 'trusted' : '',
          type,
          content.replaceAll(/\s+/g, ' '),
        ]),
      ),
    );
  },
};

const dismiss: Action = {
  args: '<event-id-or-pubkey>',
  summary: 'Remove it from the queue; with --keep the event is not queued again',
  async run(call, [target]) {
    const answer = await askRelay<{ reports: number }>(call, 'mod.dismiss', {
      target,
      reason: call.flags.last('reason') ?? '',
      keep: call.flags.has('keep'),
    });
    tell(call, answer, (one) => `${one.reports} reports were dismissed.`);
  },
};

/** Actions of `wok mod` on reports, by name. */
export const reportActions: Readonly<Record<string, Action>> = { reports, report, dismiss };
