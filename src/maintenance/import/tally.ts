// Counters of an import, and their summary for the operator.

import { formatCount } from '../../lib/format.ts';

/** Number of lines that are shown with a reason. */
const LINES_MAX = 5;
const REASONS_MAX = 50;
const OTHER = 'other reasons';

interface Reason {
  count: number;
  /** Numbers of the first lines, from 1. */
  lines: number[];
}

/** Counters of the lines of a file by result. */
export class Tally {
  lines = 0;
  added = 0;
  duplicates = 0;
  refused = 0;
  readonly reasons = new Map<string, Reason>();

  /** Counts a rejected line. Reasons that differ by numbers only are counted as one. */
  refuse(line: number, why: string): void {
    this.refused++;
    let name = why.replace(/\[\d+\]/g, '[…]').replace(/: \d+ bytes/, '');
    if (!this.reasons.has(name) && this.reasons.size >= REASONS_MAX) name = OTHER;
    const reason = this.reasons.get(name);
    if (reason === undefined) this.reasons.set(name, { count: 1, lines: [line] });
    else {
      reason.count++;
      if (reason.lines.length < LINES_MAX) reason.lines.push(line);
    }
  }

  /** Returns a summary for people, without the time that the import took. */
  summary(): string {
    const { lines, added, duplicates, refused } = this;
    const counts = [
      `${formatCount(lines)} events read`,
      `${formatCount(added)} added`,
      `${formatCount(duplicates)} already stored`,
      `${formatCount(refused)} refused`,
    ];
    const reasons = [...this.reasons]
      .sort(([, a], [, b]) => b.count - a.count)
      .map(([why, { count, lines: first }]) => {
        const more = count > first.length ? ' …' : '';
        return `  ${formatCount(count)} × ${why} (line ${first.join(', ')}${more})`;
      });
    return [counts.join(' · '), ...reasons].join('\n');
  }
}
