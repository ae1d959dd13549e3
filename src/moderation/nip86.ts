// NIP-86 methods of moderation: public keys, events, kinds and addresses.

import { KindSet } from '../protocol/kind-set.ts';
import { KIND_MAX } from '../protocol/kinds.ts';
import { RpcError } from '../rpc/method.ts';
import { type Nip86Method, reasonParam, textParam } from '../rpc/nip86.ts';
import type { ListedRow, ListName, Stance } from '../store/database/listed.ts';
import * as sql from '../store/database/sql.ts';
import type { ModerationContext, ModerationReads } from './context.ts';
import { banEvent, putOnList, removeAllOf, takeOffList } from './lists.ts';
import { dismissReports, reported } from './reports.ts';

const REPORTED_MAX = 1000;

type Method = Nip86Method<ModerationContext>;

/** Returns a method that puts its first parameter on a list. */
export function putting(list: ListName, stance: Stance): Method {
  return (params, context, { by }) =>
    putOnList(context, {
      list,
      stance,
      expiresAt: 0,
      by,
      ...actIn(params, 'an entry of the list'),
    });
}

/** Returns a method that takes its first parameter off a list. */
export function taking(list: ListName, stance: Stance): Method {
  return (params, context, { by }) =>
    takeOffList(context, { list, stance, by, ...actIn(params, 'an entry of the list') });
}

/** Returns a method that returns the entries of a list. */
export function listing(list: ListName, stance: Stance): Nip86Method<ModerationReads> {
  const field = list === 'event' ? 'id' : list;
  return (_, { db, config }) => {
    const max = config.moderation.list_entries_max;
    const rows = db.prepare(sql.SELECT_LIST).all(list, stance, '', max) as ListedRow[];
    return rows.map(({ subject, reason }) => ({ [field]: subject, ...(reason && { reason }) }));
  };
}

/** `banpubkey`: bans a public key and removes its events (`moderation.ban_removes`). */
export const banPubkey: Method = async (params, context, { by }) => {
  const act = { by, ...actIn(params, 'a public key') };
  const pubkey = await putOnList(context, { list: 'pubkey', stance: 'ban', expiresAt: 0, ...act });
  if (context.config.moderation.ban_removes) await removeAllOf(context, pubkey, act);
};

/** `listeventsneedingmoderation`: the reported events. */
export const reportedEvents: Nip86Method<ModerationReads> = (_, context) =>
  reported(context, REPORTED_MAX)
    .filter(({ isEvent }) => isEvent)
    .map(({ target, reports, types }) => ({
      id: target,
      reason: `${reports === 1 ? '1 report' : `${reports} reports`}: ${types.join(', ')}`,
    }));

/** `allowevent`: allows an event and dismisses the reports about it. */
export const allowEvent: Method = async (params, context, { by }) => {
  const act = { by, ...actIn(params, 'an event id') };
  const id = await putOnList(context, { list: 'event', stance: 'allow', expiresAt: 0, ...act });
  await dismissReports(context, id, act);
};

/** `banevent`: bans an event and removes it. */
export const banEventById: Method = (params, context, { by }) =>
  banEvent(context, { expiresAt: 0, by, ...actIn(params, 'an event id') });

/**
 * `allowkind`: takes a kind off the list if it is disallowed there, which suffices; else allows it
 * explicitly.
 */
export const allowKind: Method = async (params, context, { by }) => {
  const entry = { list: 'kind', subject: kindParam(params), by, reason: '' } as const;
  if (await takeOffList(context, { ...entry, stance: 'ban' })) return;
  await putOnList(context, { ...entry, stance: 'allow', expiresAt: 0 });
};

/** `disallowkind`: bans a kind. */
export const disallowKind: Method = (params, context, { by }) => {
  const entry = { list: 'kind', subject: kindParam(params), by, reason: '' } as const;
  return putOnList(context, { ...entry, stance: 'ban', expiresAt: 0 });
};

/** `listallowedkinds`: the kinds allowed by the list, or by `policy.kinds_allowed` if it is set. */
export const allowedKinds: Nip86Method<ModerationReads> = (_, { clock, config, lists }) => {
  const now = clock.seconds();
  const configured = new KindSet(config.policy.kinds_allowed);
  const found: number[] = [];
  for (let kind = 0; kind <= KIND_MAX; kind++) {
    const stance = lists.stance('kind', String(kind), now);
    if (stance === 'allow' || (stance === null && configured.has(kind))) found.push(kind);
  }
  return found;
};

/** Returns subject and reason of an action; `what` describes the subject for error messages. */
function actIn(params: readonly unknown[], what: string) {
  return { subject: textParam(params, 0, what), reason: reasonParam(params, 1) };
}

function kindParam([value]: readonly unknown[]): string {
  if (typeof value !== 'number')
    throw new RpcError('usage', 'Parameter 1 must be a kind, a number.');
  return String(value);
}
