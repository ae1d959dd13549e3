// Context of members: what they need of the admin worker, which implements it. Members are the keys
// of the allow list, so it includes the context of moderation. Page data: web/api/people.ts.

import type { ModerationContext } from '../moderation/context.ts';

/** Context of membership and roles. */
export interface MembersContext extends ModerationContext {
  /** Sends io the changes of the relay description, from the database. */
  describe(): void;
}
