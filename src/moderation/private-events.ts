// Access to private kinds in moderation views.

import { kindsIn } from '../protocol/kind-range.ts';
import { PrivateKinds } from '../protocol/privacy.ts';
import type { Caller } from '../rpc/method.ts';
import type { PageEvent } from '../web/api/events.ts';
import type { ModerationReads } from './context.ts';

/**
 * Returns the kinds hidden from a caller: none for admins; for moderators the kinds that only the
 * parties of an event may read (`auth.private_kinds`).
 */
export function hiddenFrom(
  { role }: Caller,
  { config }: Pick<ModerationReads, 'config'>,
): PrivateKinds {
  return new PrivateKinds(role === 'admin' ? [] : kindsIn(config.auth.private_kinds));
}

/** Returns an event from its JSON, or null if its kind is hidden. */
export function shownEvent(json: string, hidden: PrivateKinds): PageEvent | null {
  const event = JSON.parse(json) as PageEvent;
  return hidden.has(event.kind) ? null : event;
}
