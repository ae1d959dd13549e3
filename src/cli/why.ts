// `wok why`: prints the decisions about an event, or the REQs and COUNTs that were refused.

import { timeText } from '../lib/duration.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import type { RefusedRead } from '../metrics/refused-reads.ts';
import type { Why } from '../web/api/events.ts';
import { type Call, type Command, print, UsageError } from './command.ts';
import { askRelay, controlFlags } from './control.ts';

/** Command `wok why`: tells what happened to an event, or to the newest refused reads. */
export const whyCommand: Command = {
  name: 'why',
  args: '[event-id]',
  summary: 'Show which rule, plugin, limit or moderator decided about an event or refused a REQ',
  flags: [
    ...controlFlags,
    {
      name: '--reads',
      text: 'The newest REQs and COUNTs that were refused or cut short, with the reason',
    },
    {
      name: '--connection <number>',
      text: 'With --reads: only of this connection (see wok top)',
      needs: 'reads',
    },
  ],
  examples: [
    'wok why 5c83da77af1dec6d7289834998ad7aafbd9e2191396d75ec3cc27f5a77226f36',
    'wok why --reads --connection 17',
  ],
  async run(call) {
    const [id] = call.args;
    if (call.flags.has('reads')) {
      if (id === undefined) return tellReads(call);
      throw new UsageError('--reads is about REQs, not about an event. Write wok why --reads.');
    }
    if (id === undefined) throw new UsageError('Write wok why <event id>.');
    const why = await askRelay<Why>(call, 'why', { id });
    print(call.flags.has('json') ? JSON.stringify(why) : whyText(why));
    return exitCodes.ok;
  },
};

async function tellReads(call: Call): Promise<typeof exitCodes.ok> {
  const number = call.flags.integer('connection', 1, 9_999_999_999);
  const connection = number === undefined ? {} : { connection: number };
  const reads = await askRelay<RefusedRead[]>(call, 'why.reads', connection);
  if (call.flags.has('json')) print(JSON.stringify(reads));
  else if (reads.length === 0) print('No REQ or COUNT was refused or cut short recently.');
  else print(reads.map(readText).join('\n'));
  return exitCodes.ok;
}

function readText({ at, type, connection, outcome, text, filters }: RefusedRead): string {
  const why = outcome === 'short' ? 'cut short: read budget used up' : text;
  const asked = filters === '' ? '' : `  (${filters})`;
  return `${outcome}  ${timeText(at)}  ${type} of connection ${connection}  ${why}${asked}`;
}

function whyText({ stored, rejections, listed, deletedBy, omitted }: Why): string {
  const lines: string[] = [];
  if (stored) {
    const { seq, kind, pubkey, received_at: at } = stored;
    const when = at === null ? 'at an unknown time' : timeText(at);
    lines.push(`accepted  ${when}  as seq ${seq} of the log; kind ${kind}, by ${pubkey}`);
  }
  for (const { at, action, rule, by, text } of rejections) {
    lines.push(`${action}  ${timeText(at)}  ${rule}${by === '' ? '' : ` (${by})`}: ${text}`);
  }
  for (const { list, stance, at, by, reason, expires_at: end } of listed) {
    const until = end === null ? '' : `, until ${timeText(end)}`;
    const what =
      list === 'author' ? 'author removed' : `${list} ${stance === 'ban' ? 'banned' : 'allowed'}`;
    lines.push(`${what}  ${timeText(at)}  by ${by}${until}${reason === '' ? '' : `: ${reason}`}`);
  }
  for (const pubkey of deletedBy) lines.push(`deletion requested by ${pubkey}`);
  if (lines.length > 0) return lines.join('\n');
  const hint =
    omitted > 0 ? ` ${omitted} decisions were not recorded, because there were too many.` : '';
  return `This relay has no record of this event.${hint}`;
}
