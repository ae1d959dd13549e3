import { z } from 'zod';
import type { Change } from '../../messages.ts';
import { verb } from '../room.ts';

/** Events removed in one transaction of the writer, between which it goes on with its commits. */
export const REMOVED_AT_ONCE = 500;

/**
 * `events.remove`: remove events by their place in the log (`wok delete`). Whoever asks finds them by
 * itself and asks again for the next; the last time it says what was done, for the audit log.
 */
export const removeEventsVerb = verb({
  name: 'events.remove',
  params: z.strictObject({
    seqs: z.array(z.int().positive()).max(REMOVED_AT_ONCE),
    audit: z
      .strictObject({ subject: z.string().max(4096), reason: z.string().max(1000) })
      .nullable(),
  }),
  async run({ seqs, audit }, room, { by }) {
    const changes: Change[] = [
      { t: 'remove', seqs, why: { rule: 'moderation', by, text: 'wok delete' } },
    ];
    if (audit !== null) {
      changes.push({ t: 'audit', at: room.clock.seconds(), by, action: 'delete', ...audit });
    }
    const [removed] = await room.change(changes);
    return { removed };
  },
});
