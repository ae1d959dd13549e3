// Types of the policy pipeline: what it is asked (a write, a read and their sender) and the policy
// results that it returns.

import type { RuleName } from '../config/rule-names.ts';
import type { ConnectionSource } from '../messages/io-ingester.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { Refusal } from '../protocol/refusal.ts';

/** Connection that an event or a query came from. */
export interface Sender {
  readonly connId: number;
  readonly source: ConnectionSource;
  /** Address of a client, or the URL of the relay that the event comes from. */
  readonly ip: string;
  /** Public keys that have authenticated on the connection (NIP-42). */
  readonly authed: ReadonlySet<string>;
}

/** Event with a verified signature, and its sender. */
export interface PolicyWrite {
  readonly event: NostrEvent;
  /** Canonical JSON in a buffer that is reused: a stage that waits keeps a copy. */
  readonly json: Buffer;
  readonly from: Sender;
}

/** REQ or COUNT of a client. */
export interface PolicyRead {
  readonly type: 'REQ' | 'COUNT';
  readonly subId: string;
  /** Filters as the client wrote them, after they were checked. */
  readonly filters: readonly unknown[];
  readonly from: Sender;
}

/** Origin of a policy result, for `wok why` and counters: rule, and plugin name or ''. */
interface Decider {
  readonly rule: RuleName;
  readonly by: string;
}

/**
 * Policy result for an event.
 *
 * - `refuse`: OK false with this text.
 * - `shadow`: OK true with this text, and nothing is stored or passed on.
 * - `hold`: OK true, and the event is stored apart (`quarantined`) until a moderator releases it;
 *   `why` is for moderators.
 */
export type PolicyResult =
  | { readonly action: 'accept' }
  | (Decider & { readonly action: 'refuse'; readonly message: Refusal })
  | (Decider & { readonly action: 'shadow'; readonly message: string })
  | (Decider & { readonly action: 'hold'; readonly why: string });

/** Policy result for a REQ or COUNT; `replace` answers other filters than the client's. */
export type ReadPolicyResult =
  | { readonly action: 'accept' }
  | (Decider & { readonly action: 'refuse'; readonly message: Refusal })
  | (Decider & { readonly action: 'replace'; readonly filters: readonly unknown[] });

/** Result of an event or query that no rule objects to. */
export const ACCEPT = { action: 'accept' } as const;

/** Result when the bound on waiting events or queries is reached. */
export const PLUGIN_QUEUE_FULL = {
  action: 'refuse',
  rule: 'plugin-queue',
  by: '',
  message: 'rate-limited: the policy queue of this relay is full; try again',
} as const satisfies PolicyResult;
