// Table of the RPC methods of the admin worker, and their dispatcher.

import { z } from 'zod';
import { nearest } from '../lib/nearest.ts';
import { AdminError, type Caller, type Room, type Verb } from './context.ts';
import { compareVerb, configVerb } from './rpc/config.ts';
import { dashboardVerb } from './rpc/dashboard.ts';
import { describeVerb, rolesVerb, roleVerb } from './rpc/description.ts';
import { removeEventsVerb } from './rpc/events.ts';
import { heldVerb } from './rpc/held.ts';
import { inviteVerb } from './rpc/invite.ts';
import { listedVerb } from './rpc/listed.ts';
import { auditVerb, listVerb, putVerb, removeVerb, takeVerb } from './rpc/lists.ts';
import { expositionVerb, metricsVerb, slowVerb, topConnectionsVerb } from './rpc/metrics.ts';
import { reloadVerb, restartVerb } from './rpc/process.ts';
import { discardVerb, quarantineVerb, releaseVerb } from './rpc/quarantine.ts';
import { aboutVerb, queueVerb } from './rpc/queue.ts';
import { dismissVerb, reportsVerb, reportVerb } from './rpc/reports.ts';
import { retentionTaskVerb, retentionVerb } from './rpc/retention.ts';
import { searchVerb } from './rpc/search.ts';
import { statusVerb } from './rpc/status.ts';
import { whyReadsVerb, whyVerb } from './rpc/why.ts';

/** All RPC methods of the control socket. */
const verbs: readonly Verb[] = [
  statusVerb,
  inviteVerb,
  putVerb,
  takeVerb,
  listVerb,
  removeVerb,
  auditVerb,
  metricsVerb,
  expositionVerb,
  slowVerb,
  topConnectionsVerb,
  removeEventsVerb,
  reloadVerb,
  restartVerb,
  reportsVerb,
  reportVerb,
  dismissVerb,
  quarantineVerb,
  releaseVerb,
  discardVerb,
  describeVerb,
  rolesVerb,
  roleVerb,
  whyVerb,
  whyReadsVerb,
  retentionVerb,
  retentionTaskVerb,
  dashboardVerb,
  queueVerb,
  aboutVerb,
  heldVerb,
  listedVerb,
  searchVerb,
  configVerb,
  compareVerb,
];

const byName = new Map(verbs.map((one) => [one.name, one]));

/** Validates the parameters and runs an RPC method. @throws AdminError */
export async function runVerb(
  name: string,
  params: unknown,
  room: Room,
  caller: Caller,
): Promise<unknown> {
  const found = byName.get(name);
  if (found === undefined) {
    const meant = nearest(name, byName.keys());
    const advice = meant === undefined ? '' : ` Did you mean "${meant}"?`;
    throw new AdminError('usage', `Method not found: "${name}".${advice}`);
  }
  const parsed = found.params.safeParse(params ?? {});
  if (!parsed.success) {
    throw new AdminError('usage', `${name}: ${z.prettifyError(parsed.error)}`);
  }
  return await found.run(parsed.data, room, caller);
}
