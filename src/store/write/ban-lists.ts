// Ban and allow lists, as far as the rules of the event log need them.

import type { RuleName } from '../../config/rule-names.ts';
import type { NostrEvent } from '../../protocol/event.ts';
import type { Refusal } from '../../protocol/refusal.ts';
import type { ListName, Stance } from '../database/listed.ts';

/** Ban and allow lists in the memory of the thread (`access/lists.ts`). */
export interface BanLists {
  readonly size: number;
  /** Returns the rejection of an event, or null. `now`: seconds since 1970. */
  rejectionOf(
    event: Pick<NostrEvent, 'id' | 'pubkey' | 'kind' | 'created_at'>,
    now: number,
  ): { readonly refusal: Refusal; readonly rule: RuleName } | null;
  /** Returns the stance of a subject that is in force now, or null. */
  stance(list: ListName, subject: string, now: number): Stance | null;
}
