// Progress of one retention run or preview; lives in the admin worker.

import type { RetentionReport, RuleTotal } from '../web/api/config.ts';

/** Progress of a retention run, or of a preview; the caller that made it may end it. */
export class Pass {
  /** Number of index entries read, in whole pages. */
  looked = 0;
  /** Bytes of the database in use before the run. */
  usedBytes = 0;
  /** Events removed, or to remove, by rule. */
  readonly totals = new Map<string, RuleTotal>();
  readonly goesOn: () => boolean;

  /** Takes `goesOn`, which is called between two slices; false ends the pass. */
  constructor(goesOn: () => boolean = () => true) {
    this.goesOn = goesOn;
  }

  /** Report of the progress so far. */
  get report(): RetentionReport {
    let [events, bytes] = [0, 0];
    for (const total of this.totals.values()) {
      events += total.events;
      bytes += total.bytes;
    }
    const rules = [...this.totals.values()].map((total) => ({ ...total }));
    return { rules, events, bytes, usedBytes: this.usedBytes };
  }
}
