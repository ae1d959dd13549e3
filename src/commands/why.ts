import type { Why } from '../admin/page-api/events.ts';
import { timeText } from '../lib/duration.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { type Command, print, UsageError } from './command.ts';
import { askRelay, controlFlags } from './control.ts';

/** `wok why`: what became of an event. */
export const whyCommand: Command = {
  usage: 'why <event-id>',
  summary: 'Tell which rule, plugin, limit or person decided about an event, and when',
  flags: controlFlags,
  examples: ['wok why 5c83da77af1dec6d7289834998ad7aafbd9e2191396d75ec3cc27f5a77226f36'],
  async run(call) {
    const [id] = call.args;
    if (id === undefined) throw new UsageError('Write wok why and the id of an event.');
    const why = await askRelay<Why>(call, 'why', { id });
    print(call.flags.has('json') ? JSON.stringify(why) : whyText(why));
    return exitCodes.ok;
  },
};

function whyText({ stored, decisions, listed, deletedBy, leftOut }: Why): string {
  const lines: string[] = [];
  if (stored) {
    const { seq, kind, pubkey, received_at: at } = stored;
    const when = at === null ? 'at an unknown time' : timeText(at);
    lines.push(`accepted  ${when}  as number ${seq} of the log; kind ${kind}, by ${pubkey}`);
  }
  for (const { at, action, rule, by, text } of decisions) {
    lines.push(`${action}  ${timeText(at)}  ${rule}${by === '' ? '' : ` (${by})`}: ${text}`);
  }
  for (const { list, stance, at, by, reason, expires_at: end } of listed) {
    const until = end === null ? '' : `, until ${timeText(end)}`;
    const what =
      list === 'author' ? 'author removed' : `${list} ${stance === 'ban' ? 'banned' : 'allowed'}`;
    lines.push(`${what}  ${timeText(at)}  by ${by}${until}${reason === '' ? '' : `: ${reason}`}`);
  }
  for (const pubkey of deletedBy) lines.push(`deletion asked for by ${pubkey}`);
  if (lines.length > 0) return lines.join('\n');
  const hint =
    leftOut > 0 ? ` ${leftOut} decisions were not kept, because there were too many.` : '';
  return `This relay knows nothing of this event.${hint}`;
}
