import type { RetentionReport, RuleTotal } from '../page-api/config.ts';

/** How far a run of retention, or a preview, has come; whoever made it may end it. */
export class Pass {
  /** Entries of the index that were looked at, counted by the page. */
  looked = 0;
  /** Bytes of the database in use before. */
  usedBytes = 0;
  /** What goes, or went, by rule. */
  readonly totals = new Map<string, RuleTotal>();
  readonly goesOn: () => boolean;

  /** `goesOn` is asked between two slices. */
  constructor(goesOn: () => boolean = () => true) {
    this.goesOn = goesOn;
  }

  /** As far as it has come. */
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
