// Context of retention: what it needs of the admin worker, which implements it. The types of its
// page data stay in web/api/config.ts, because browser code may import types from there only.

import type { ModerationContext } from '../moderation/context.ts';

/** Context of retention. */
export type RetentionContext = Pick<
  ModerationContext,
  'config' | 'db' | 'clock' | 'log' | 'lists' | 'change'
>;
