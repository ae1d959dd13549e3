// Actions `wok mod quarantine`, `release` and `discard`: events held back as likely spam.

import { timeText } from '../../lib/duration.ts';
import type { Quarantined } from '../../moderation/rpc/quarantine.ts';
import { askRelay } from '../control.ts';
import { type Action, columns, limitOf, tell } from './action.ts';

const CONTENT_LENGTH = 80;

const quarantine: Action = {
  args: '',
  summary: 'Show quarantined events that wait for review, oldest first',
  async run(call) {
    const limit = limitOf(call);
    const rows = await askRelay<Quarantined[]>(call, 'mod.quarantine', { limit });
    tell(call, rows, () => (rows.length === 0 ? 'The quarantine is empty.' : listText(rows)));
  },
};

function listText(rows: readonly Quarantined[]): string {
  return columns(
    rows.map(({ id, at, why, json }) => {
      const { content } = JSON.parse(json) as { content: string };
      return [timeText(at), id, why, content.replaceAll(/\s+/g, ' ').slice(0, CONTENT_LENGTH)];
    }),
  );
}

const release: Action = {
  args: '<event-id-or-pubkey>',
  summary: 'Store a quarantined event, or all of an author',
  async run(call, [subject]) {
    const reason = call.flags.last('reason') ?? '';
    const answer = await askRelay<{ events: number }>(call, 'mod.release', { subject, reason });
    tell(call, answer, (one) => `${one.events} events were released.`);
  },
};

const discard: Action = {
  args: '<event-id-or-pubkey>',
  summary: 'Drop a quarantined event, or all of an author',
  async run(call, [subject]) {
    const reason = call.flags.last('reason') ?? '';
    const answer = await askRelay<{ events: number }>(call, 'mod.discard', { subject, reason });
    tell(call, answer, (one) => `${one.events} events were discarded.`);
  },
};

/** Actions of `wok mod` on the quarantine, by name. */
export const quarantineActions: Readonly<Record<string, Action>> = {
  quarantine,
  release,
  discard,
};
