// Table of the RPC methods: which exist, which role may call them, whether they write; and their
// dispatcher. The control socket and the admin page (`pages/access.ts`) use the same table.

import { z } from 'zod';
import { nearest } from '../lib/nearest.ts';
import { inviteMethod, roleMethod, rolesMethod } from '../members/rpc.ts';
import * as lists from '../moderation/rpc/lists.ts';
import * as quarantine from '../moderation/rpc/quarantine.ts';
import { removeEventsMethod } from '../moderation/rpc/removal.ts';
import * as reports from '../moderation/rpc/reports.ts';
import { whyMethod } from '../moderation/rpc/why.ts';
import { retentionMethod, retentionTaskMethod } from '../retention/rpc.ts';
import { type Caller, RpcError, type RpcMethod } from '../rpc/method.ts';
import type { PageMethod, PageRole } from '../web/api/api.ts';
import type { AdminContext, AdminReads } from './context.ts';
import { describeMethod } from './info.ts';
import * as config from './rpc/config.ts';
import { dashboardMethod } from './rpc/dashboard.ts';
import * as metrics from './rpc/metrics.ts';
import { changeTreesMethod, treesMethod } from './rpc/negentropy.ts';
import { peersMethod } from './rpc/peers.ts';
import { searchMethod } from './rpc/search.ts';
import { statusMethod } from './rpc/status.ts';

/**
 * Entry of the table. A method with `writes: false` has a context without the functions that write.
 */
type RpcEntry<Role> = {
  /**
   * Lowest role that may call it, moderators perhaps not with all parameters (`restriction` of the
   * method); `local`: clients of the control socket only.
   */
  readonly role: Role;
} & (
  | { readonly writes: false; readonly method: RpcMethod<AdminReads> | null }
  | { readonly writes: true; readonly method: RpcMethod<AdminContext> }
);

/** Checked table: methods of the admin page (`web/api/api.ts`) have its roles, others `local`. */
type Table<Entries> = {
  readonly [Name in keyof Entries]: RpcEntry<Name extends PageMethod ? PageRole : 'local'>;
};

function table<Entries extends Record<PageMethod, unknown>>(
  entries: Entries & Table<Entries>,
): ReadonlyMap<string, RpcEntry<PageRole | 'local'>> {
  return new Map(Object.entries(entries));
}

/**
 * RPC methods by name; clients of the control socket may call all of them but `session`, which has
 * no method here because `pages/calls.ts` answers it.
 *
 * Not for the page: `restart`, because the new process ends the session of the caller, and a person
 * who can restart a relay has a shell; `events.remove`, because it takes seqs that only
 * `wok delete` has looked up; `metrics` and `exposition`, because Prometheus has its own address
 * and the page has `dashboard`; `status`, `negentropy…` and `why.reads`, which only commands show;
 * `mod.list`, `mod.reports`, `mod.quarantine` and `mod.retention`, in whose place the page has
 * `mod.listed`, `mod.queue`, `mod.held` and `retention.task`, which answer in pages.
 */
export const rpcMethods = table({
  session: { method: null, role: 'moderator', writes: false },
  dashboard: { method: dashboardMethod, role: 'moderator', writes: false },
  connections: { method: metrics.topConnectionsMethod, role: 'admin', writes: false },
  slow: { method: metrics.slowMethod, role: 'admin', writes: false },
  'mod.queue': { method: reports.queueMethod, role: 'moderator', writes: false },
  'mod.report': { method: reports.reportMethod, role: 'moderator', writes: false },
  'mod.dismiss': { method: reports.dismissMethod, role: 'moderator', writes: true },
  'mod.held': { method: quarantine.heldMethod, role: 'moderator', writes: false },
  'mod.release': { method: quarantine.releaseMethod, role: 'moderator', writes: true },
  'mod.discard': { method: quarantine.discardMethod, role: 'moderator', writes: true },
  'mod.listed': { method: lists.listedMethod, role: 'moderator', writes: false },
  'mod.put': { method: lists.putMethod, role: 'moderator', writes: true },
  'mod.take': { method: lists.takeMethod, role: 'moderator', writes: true },
  'mod.remove': { method: lists.removeMethod, role: 'moderator', writes: true },
  'mod.audit': { method: lists.auditMethod, role: 'moderator', writes: false },
  'mod.about': { method: reports.aboutMethod, role: 'moderator', writes: false },
  'mod.roles': { method: rolesMethod, role: 'admin', writes: false },
  'mod.role': { method: roleMethod, role: 'admin', writes: true },
  invite: { method: inviteMethod, role: 'admin', writes: true },
  'mod.describe': { method: describeMethod, role: 'admin', writes: true },
  search: { method: searchMethod, role: 'moderator', writes: false },
  why: { method: whyMethod, role: 'moderator', writes: false },
  config: { method: config.configMethod, role: 'admin', writes: false },
  'config.compare': { method: config.compareMethod, role: 'admin', writes: false },
  reload: { method: config.reloadMethod, role: 'admin', writes: true },
  peers: { method: peersMethod, role: 'admin', writes: false },
  'retention.task': { method: retentionTaskMethod, role: 'admin', writes: true },
  negentropy: { method: treesMethod, role: 'local', writes: false },
  'negentropy.change': { method: changeTreesMethod, role: 'local', writes: true },
  status: { method: statusMethod, role: 'local', writes: false },
  metrics: { method: metrics.metricsMethod, role: 'local', writes: false },
  exposition: { method: metrics.expositionMethod, role: 'local', writes: false },
  'why.reads': { method: metrics.whyReadsMethod, role: 'local', writes: false },
  'mod.list': { method: lists.listMethod, role: 'local', writes: false },
  'mod.reports': { method: reports.reportsMethod, role: 'local', writes: false },
  'mod.quarantine': { method: quarantine.quarantineMethod, role: 'local', writes: false },
  'mod.retention': { method: retentionMethod, role: 'local', writes: true },
  'events.remove': { method: removeEventsMethod, role: 'local', writes: true },
  restart: { method: config.restartMethod, role: 'local', writes: true },
});

const localNames = [...rpcMethods].flatMap(([name, { method }]) => (method ? [name] : []));

/** Validates the parameters and runs an RPC method. @throws RpcError */
export async function runRpcMethod(
  name: string,
  params: unknown,
  context: AdminContext,
  caller: Caller,
): Promise<unknown> {
  const method = rpcMethods.get(name)?.method;
  if (!method) {
    const meant = nearest(name, localNames);
    const advice = meant === undefined ? '' : ` Did you mean "${meant}"?`;
    throw new RpcError('usage', `Method not found: "${name}".${advice}`);
  }
  const parsed = method.params.safeParse(params ?? {});
  if (!parsed.success) {
    throw new RpcError('usage', `${name}: ${z.prettifyError(parsed.error)}`);
  }
  return await method.run(parsed.data, context, caller);
}
