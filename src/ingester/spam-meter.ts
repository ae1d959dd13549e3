// Metrics of the spam stage of one ingester worker.

import { spamParts } from '../config/spam-signals.ts';
import { SPAM_RESULTS } from '../metrics/label-values.ts';
import { byLabel, cellOf } from '../metrics/layout.ts';
import type { Meter } from '../metrics/meter.ts';
import type { SpamMeter } from '../policy/spam/spam-filter.ts';

const PLUGIN_RESULTS = byLabel(SPAM_RESULTS, (verdict) =>
  cellOf('wok_spam_verdicts_total', { verdict }),
);
const PARTS = byLabel(spamParts, (part) => cellOf('wok_spam_parts_total', { part }));

/** Returns the counters of the spam stage. */
export function spamMeter(meter: Meter): SpamMeter {
  return {
    verdict: (verdict) => meter.add(PLUGIN_RESULTS[verdict], 1),
    part: (part) => meter.add(PARTS[part], 1),
  };
}
