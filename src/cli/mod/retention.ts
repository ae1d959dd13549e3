// Action `wok mod retention`: previews or runs the rules of retention.

import { timeText } from '../../lib/duration.ts';
import { formatBytes, formatCount } from '../../lib/format.ts';
import type { RetentionReport } from '../../web/api/config.ts';
import { askRelay } from '../control.ts';
import { type Action, columns, tell } from './action.ts';

const retention: Action = {
  args: '<preview|run>',
  summary: 'Preview what the retention rules would remove, or remove it now',
  async run(call, [what]) {
    const report = await askRelay<RetentionReport>(call, 'mod.retention', { do: what });
    tell(call, report, () => reportText(report, what === 'preview'));
  },
};

function reportText({ rules, events, usedBytes }: RetentionReport, isPreview: boolean): string {
  const used = `${formatBytes(usedBytes)} of the database are in use.`;
  if (events === 0) return `Nothing ${isPreview ? 'would be removed' : 'was removed'}; ${used}`;
  const rows = rules.map((one) => [
    one.rule,
    `${formatCount(one.events)} events`,
    formatBytes(one.bytes),
    `${timeText(one.oldest)} to ${timeText(one.newest)}`,
  ]);
  return `${columns(rows)}\n${used}`;
}

/** Actions of `wok mod` on retention, by name. */
export const retentionActions: Readonly<Record<string, Action>> = { retention };
