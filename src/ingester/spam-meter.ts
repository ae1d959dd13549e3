// Metrics of the spam stage of one ingester worker.

import { spamParts } from '../config/spam-signals.ts';
import { SPAM_RESULTS } from '../metrics/label-values.ts';
import { byLabel, cellOf } from '../metrics/layout.ts';
import type { Meter } from '../metrics/meter.ts';
import type { SpamMeter } from '../policy/spam/spam-filter.ts';

const RESULTS = byLabel(SPAM_RESULTS, (result) => cellOf('wok_spam_results_total', { result }));
const PARTS = byLabel(spamParts, (part) => cellOf('wok_spam_parts_total', { part }));

/** Returns the counters of the spam stage. */
export function spamMeter(meter: Meter): SpamMeter {
  return {
    result: (result) => meter.add(RESULTS[result], 1),
    part: (part) => meter.add(PARTS[part], 1),
  };
}
