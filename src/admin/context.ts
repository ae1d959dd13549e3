// Context of the admin worker: the parts that its own RPC methods use, and the contexts of the
// subjects, none of which imports it.

import type { InviteContext } from '../members/rpc.ts';
import type { PeerStatus } from '../messages/admin-peers.ts';
import type { WhyContext } from '../moderation/rpc/why.ts';
import type { RetentionMethodsContext } from '../retention/rpc.ts';
import type { DashboardCache, DashboardContext } from './dashboard/dashboards.ts';
import type { History } from './metrics/history.ts';
import type { Search } from './search/search.ts';
import type { SyncTrees } from './sync-trees.ts';

/** Context of the admin worker, implemented by `Admin` and passed to every method. */
export interface AdminContext
  extends InviteContext,
    WhyContext,
    RetentionMethodsContext,
    DashboardContext {
  /** Samples of the last hour, for charts. */
  readonly history: History;
  /** Current state of the relay, for the dashboard. */
  readonly dashboards: DashboardCache;
  readonly search: Search;
  /** States of the relays of [[peers]], as the peers worker reported them last. */
  readonly peers: readonly PeerStatus[];
  /** Filters whose events sync keeps in trees. */
  readonly trees: SyncTrees;
}

/** Context of methods that write nothing. */
export type AdminReads = Omit<AdminContext, 'change' | 'publish' | 'describe' | 'trees'> & {
  readonly trees: Pick<SyncTrees, 'list'>;
};
