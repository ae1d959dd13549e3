// Table of the RPC methods of the admin worker, and their dispatcher.

import { z } from 'zod';
import { nearest } from '../lib/nearest.ts';
import { AdminError, type Caller, type Room, type Verb } from './room.ts';
import { compareVerb, configVerb } from './verbs/config.ts';
import { dashboardVerb } from './verbs/dashboard.ts';
import { describeVerb, rolesVerb, roleVerb } from './verbs/description.ts';
import { removeEventsVerb } from './verbs/events.ts';
import { heldVerb } from './verbs/held.ts';
import { inviteVerb } from './verbs/invite.ts';
import { listedVerb } from './verbs/listed.ts';
import { auditVerb, listVerb, putVerb, removeVerb, takeVerb } from './verbs/lists.ts';
import { expositionVerb, metricsVerb, slowVerb, talkersVerb } from './verbs/metrics.ts';
import { reloadVerb, restartVerb } from './verbs/process.ts';
import { discardVerb, quarantineVerb, releaseVerb } from './verbs/quarantine.ts';
import { aboutVerb, queueVerb } from './verbs/queue.ts';
import { dismissVerb, reportsVerb, reportVerb } from './verbs/reports.ts';
import { retentionTaskVerb, retentionVerb } from './verbs/retention.ts';
import { searchVerb } from './verbs/search.ts';
import { statusVerb } from './verbs/status.ts';
import { whyReadsVerb, whyVerb } from './verbs/why.ts';

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
  talkersVerb,
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
    throw new AdminError('usage', `This relay does not know the verb "${name}".${advice}`);
  }
  const parsed = found.params.safeParse(params ?? {});
  if (!parsed.success) {
    throw new AdminError('usage', `${name}: ${z.prettifyError(parsed.error)}`);
  }
  return await found.run(parsed.data, room, caller);
}
