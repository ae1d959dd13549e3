// `wok slow`: prints the newest slow queries of the running relay.

import { exitCodes } from '../../lib/exit-codes.ts';
import type { SlowQuery } from '../../metrics/ring-rows.ts';
import { type Command, print, UsageError } from '../command.ts';
import { askRelay, controlFlags } from '../control.ts';
import { slowTable } from './screen.ts';

const LIMIT = 50;

/** Command `wok slow`: lists slow queries, without the values that they asked for. */
export const slowCommand: Command = {
  name: 'slow',
  summary: 'Show the newest slow queries, without the values of their filters',
  flags: [
    ...controlFlags,
    { name: '--limit <number>', text: `Queries to show (${LIMIT})` },
    { name: '--by <figure>', text: 'Sort by work, total, rows or events instead of by time' },
  ],
  examples: ['wok slow', 'wok slow --by work --limit 10', 'wok slow --json'],
  async run(call) {
    const limit = call.flags.integer('limit', 1, 1000) ?? LIMIT;
    const by = call.flags.last('by');
    if (by !== undefined && !isFigure(by)) {
      throw new UsageError(`--by must be work, total, rows or events, not "${by}".`);
    }
    // They are sorted here, so all of them are asked for.
    const slow = await askRelay<SlowQuery[]>(call, 'slow', { limit: by ? 1000 : limit });
    if (by !== undefined) slow.sort((a, b) => b[by] - a[by]);
    const shown = slow.slice(0, limit);
    if (call.flags.has('json')) print(JSON.stringify(shown));
    else if (shown.length === 0) print('No slow queries (metrics.slow_query_milliseconds).');
    else print(slowTable(shown).join('\n'));
    return exitCodes.ok;
  },
};

function isFigure(text: string): text is 'work' | 'total' | 'rows' | 'events' {
  return ['work', 'total', 'rows', 'events'].includes(text);
}
