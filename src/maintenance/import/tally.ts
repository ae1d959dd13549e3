// Counters of an import, and their summary for the operator.

import { formatCount } from '../../lib/format.ts';

/** Number of lines that are shown with a reason. */
const LINES_MAX = 5;
const REASONS_MAX = 50;
const OTHER = 'other reasons';

interface Reason {
  count: number;
  /** The first lines: `line 3`, or `notes.jsonl:3` of several inputs. */
  lines: string[];
}

/** Counters of the lines of the inputs by result. */
export class Tally {
  lines = 0;
  added = 0;
  duplicates = 0;
  refused = 0;
  readonly reasons = new Map<string, Reason>();
  /** Inputs that could not be read to their end, each with the reason. */
  readonly damaged: string[] = [];

  /**
   * Counts a rejected line. Reasons that differ by numbers only are counted as one.
   *
   * @param input name of its input, '' if there is only one.
   */
  refuse(input: string, number: number, why: string): void {
    this.refused++;
    let name = why.replace(/\[\d+\]/g, '[…]').replace(/: \d+ bytes/, '');
    if (!this.reasons.has(name) && this.reasons.size >= REASONS_MAX) name = OTHER;
    const line = placeOf(input, number);
    const reason = this.reasons.get(name);
    if (reason === undefined) this.reasons.set(name, { count: 1, lines: [line] });
    else {
      reason.count++;
      if (reason.lines.length < LINES_MAX) reason.lines.push(line);
    }
  }

  /** Counts an input that ends too soon or is damaged; what was read of it is imported. */
  damage(input: string, why: string): void {
    this.damaged.push(input === '' ? why : `${input}: ${why}`);
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
        return `  ${formatCount(count)} × ${why} (${first.join(', ')}${more})`;
      });
    return [counts.join(' · '), ...reasons].join('\n');
  }
}

/** Returns the name of a line for people: `line 3`, or `notes.jsonl:3` of several inputs. */
export function placeOf(input: string, line: number): string {
  return input === '' ? `line ${line}` : `${input}:${line}`;
}
