// RPC method of `wok delete`.

import { z } from 'zod';
import type { Change } from '../../messages/admin-writer.ts';
import { rpcMethod } from '../../rpc/method.ts';
import type { ModerationContext } from '../context.ts';

/** Maximum number of events removed in one transaction, between which the writer commits. */
export const REMOVED_AT_ONCE = 500;

/**
 * RPC method `events.remove`: removes events by their seq (`wok delete`). The caller selects the
 * events and repeats the call for the next ones; with the last call it sends `audit`, for the audit
 * log.
 */
export const removeEventsMethod = rpcMethod({
  params: z.strictObject({
    seqs: z.array(z.int().positive()).max(REMOVED_AT_ONCE),
    audit: z
      .strictObject({ subject: z.string().max(4096), reason: z.string().max(1000) })
      .nullable(),
  }),
  async run({ seqs, audit }, context: ModerationContext, { by }) {
    const changes: Change[] = [
      { t: 'remove', seqs, why: { rule: 'moderation', by, text: 'wok delete' } },
    ];
    if (audit !== null) {
      changes.push({ t: 'audit', at: context.clock.seconds(), by, action: 'delete', ...audit });
    }
    const [removed] = await context.change(changes);
    return { removed };
  },
});
