// Types of the admin page's call about the relays of [[peers]], for admins. Types only, shared with
// the browser; see api.ts.

import type { PeerStatus } from '../../messages/admin-peers.ts';

export type { PeerCounts, PeerStatus } from '../../messages/admin-peers.ts';

export interface PeerMethods {
  /** Returns the states of the relays of [[peers]], in the order of the configuration. */
  peers: { params: Record<string, never>; result: PeerStatus[] };
}
