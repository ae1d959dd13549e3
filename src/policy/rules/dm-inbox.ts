// Write rule of relays that are inboxes for private messages (NIP-17).

import type { Config } from '../../config/options.ts';
import {
  isGiftWrap,
  KIND_DELETION,
  KIND_DM_RELAYS,
  KIND_GIFT_WRAP,
  KIND_METADATA,
  KIND_RELAY_LIST,
  KIND_VANISH,
} from '../../protocol/kinds.ts';
import type { WriteRule } from '../rule.ts';

/** Kinds of an inbox for private messages (NIP-17): gift wraps, and what their readers need. */
const INBOX_KINDS: ReadonlySet<number> = new Set([
  KIND_METADATA,
  KIND_DELETION,
  KIND_VANISH,
  KIND_GIFT_WRAP,
  KIND_RELAY_LIST,
  KIND_DM_RELAYS,
]);

/** Returns the rule of an inbox: only these kinds, and gift wraps only with a recipient. */
export function dmInboxRule({ auth }: Config): WriteRule | null {
  if (!auth.dm_inbox) return null;
  return {
    name: 'dm-inbox',
    stage: 'claimed',
    check({ event: { kind, tags } }) {
      if (!INBOX_KINDS.has(kind) && !isGiftWrap(kind)) {
        return 'blocked: this relay is an inbox for private messages and accepts gift wraps (kind 1059)';
      }
      if (isGiftWrap(kind) && !tags.some(([name, value]) => name === 'p' && value?.length === 64)) {
        return 'invalid: a gift wrap must name its recipient in a p tag';
      }
      return null;
    },
  };
}
