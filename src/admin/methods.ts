// Methods of the relay management API (NIP-86): parameters, required role and implementation.

import { KindSet } from '../protocol/kind-set.ts';
import { KIND_MAX } from '../protocol/kinds.ts';
import type { ListedRow, ListName, Stance } from '../store/database/listed.ts';
import * as sql from '../store/database/sql.ts';
import { AdminError, type Caller, type Room } from './context.ts';
import { changeInfo, type InfoName } from './info.ts';
import { banEvent, putOnList, removeAllOf, takeOffList } from './moderation.ts';
import { dismissReports, reported } from './reports.ts';
import { assignRole, putRole, removeRole, unassignRole } from './roles.ts';

const REASON_LENGTH_MAX = 1000;
const REPORTED_MAX = 1000;

/** Method of the relay management API (NIP-86). */
export interface Method {
  /** True if moderators may call it, too; the others are for admins. */
  readonly moderator: boolean;
  /** True if it changes something: its authorization is then spent by the call. */
  readonly changes: boolean;
  /** Runs the method. `own` are the names of all that the caller may call. @throws AdminError */
  run(params: readonly unknown[], room: Room, caller: Caller, own: readonly string[]): unknown;
}

/** All methods of NIP-86 as of 2026-06. */
export const methods: Readonly<Record<string, Method>> = {
  supportedmethods: {
    moderator: true,
    changes: false,
    run: (_params, _room, _caller, own) => own.filter((name) => name !== 'supportedmethods'),
  },
  banpubkey: {
    moderator: true,
    changes: true,
    async run(params, room, { by }) {
      const [subject, reason] = [text(params, 0, 'a public key'), reasonIn(params, 1)];
      const pubkey = await putOnList(room, {
        list: 'pubkey',
        subject,
        stance: 'ban',
        expiresAt: 0,
        by,
        reason,
      });
      if (room.config.moderation.ban_removes) await removeAllOf(room, pubkey, { by, reason });
      return true;
    },
  },
  unbanpubkey: off('pubkey', 'ban', true),
  listbannedpubkeys: listing('pubkey', 'ban', 'pubkey'),
  allowpubkey: on('pubkey', 'allow', true),
  unallowpubkey: off('pubkey', 'allow', true),
  listallowedpubkeys: listing('pubkey', 'allow', 'pubkey'),
  createrole: admin(async (params, room, { by }) => putRole(room, roleIn(params), by, true)),
  editrole: admin(async (params, room, { by }) => putRole(room, roleIn(params), by, false)),
  deleterole: admin(async (params, room, { by }) =>
    removeRole(room, text(params, 0, 'a role'), by),
  ),
  assignrole: admin(async (params, room, { by }) =>
    assignRole(room, text(params, 0, 'a public key'), text(params, 1, 'a role'), by),
  ),
  unassignrole: admin(async (params, room, { by }) =>
    unassignRole(room, text(params, 0, 'a public key'), text(params, 1, 'a role'), by),
  ),
  listeventsneedingmoderation: {
    moderator: true,
    changes: false,
    run: (_, room) =>
      reported(room, REPORTED_MAX)
        .filter(({ isEvent }) => isEvent)
        .map(({ target, reports, types }) => ({
          id: target,
          reason: `${reports === 1 ? '1 report' : `${reports} reports`}: ${types.join(', ')}`,
        })),
  },
  allowevent: {
    moderator: true,
    changes: true,
    async run(params, room, { by }) {
      const [subject, reason] = [text(params, 0, 'an event id'), reasonIn(params, 1)];
      const id = await putOnList(room, {
        list: 'event',
        subject,
        stance: 'allow',
        expiresAt: 0,
        by,
        reason,
      });
      await dismissReports(room, id, { by, reason });
      return true;
    },
  },
  banevent: {
    moderator: true,
    changes: true,
    async run(params, room, { by }) {
      const [subject, reason] = [text(params, 0, 'an event id'), reasonIn(params, 1)];
      await banEvent(room, { subject, expiresAt: 0, by, reason });
      return true;
    },
  },
  listbannedevents: listing('event', 'ban', 'id'),
  changerelayname: info('info.name'),
  changerelaydescription: info('info.description'),
  changerelayicon: info('info.icon'),
  allowkind: admin(async (params, room, { by }) => {
    const subject = kind(params);
    // Removing the kind from the list suffices if the list disallowed it; else it is allowed
    // explicitly.
    if (await takeOffList(room, { list: 'kind', subject, stance: 'ban', by, reason: '' }))
      return true;
    await putOnList(room, { list: 'kind', subject, stance: 'allow', expiresAt: 0, by, reason: '' });
    return true;
  }),
  disallowkind: admin(async (params, room, { by }) => {
    const subject = kind(params);
    await putOnList(room, { list: 'kind', subject, stance: 'ban', expiresAt: 0, by, reason: '' });
    return true;
  }),
  listallowedkinds: { moderator: false, changes: false, run: (_, room) => allowedKinds(room) },
  blockip: on('ip', 'ban', false),
  unblockip: off('ip', 'ban', false),
  listblockedips: { ...listing('ip', 'ban', 'ip'), moderator: false },
};

/** Returns a method for admins that changes something. */
function admin(run: Method['run']): Method {
  return { moderator: false, changes: true, run };
}

function on(list: ListName, stance: Stance, moderator: boolean): Method {
  return {
    moderator,
    changes: true,
    async run(params, room, { by }) {
      const [subject, reason] = [text(params, 0, 'an entry of the list'), reasonIn(params, 1)];
      await putOnList(room, { list, subject, stance, expiresAt: 0, by, reason });
      return true;
    },
  };
}

function off(list: ListName, stance: Stance, moderator: boolean): Method {
  return {
    moderator,
    changes: true,
    async run(params, room, { by }) {
      const [subject, reason] = [text(params, 0, 'an entry of the list'), reasonIn(params, 1)];
      await takeOffList(room, { list, subject, stance, by, reason });
      return true;
    },
  };
}

function listing(list: ListName, stance: Stance, field: string): Method {
  return {
    moderator: true,
    changes: false,
    run(_, { db, config }) {
      const max = config.moderation.list_entries_max;
      const rows = db.prepare(sql.SELECT_LIST).all(list, stance, '', max) as ListedRow[];
      return rows.map(({ subject, reason }) => ({ [field]: subject, ...(reason && { reason }) }));
    },
  };
}

function info(name: InfoName): Method {
  return admin(async (params, room, { by }) => {
    await changeInfo(room, name, text(params, 0, 'a text'), by);
    return true;
  });
}

/** Returns the kinds allowed by `policy.kinds_allowed`, if it is set, and by the list. */
function allowedKinds(room: Room): number[] {
  const now = room.clock.seconds();
  const configured = new KindSet(room.config.policy.kinds_allowed);
  const found: number[] = [];
  for (let kind = 0; kind <= KIND_MAX; kind++) {
    const stance = room.lists.stance('kind', String(kind), now);
    if (stance === 'allow' || (stance === null && configured.has(kind))) found.push(kind);
  }
  return found;
}

function text(params: readonly unknown[], at: number, what: string): string {
  const value = params[at];
  if (typeof value !== 'string')
    throw new AdminError('usage', `Parameter ${at + 1} must be ${what}, a string.`);
  return value;
}

function reasonIn(params: readonly unknown[], at: number): string {
  return params[at] == null ? '' : text(params, at, 'a reason').slice(0, REASON_LENGTH_MAX);
}

function kind(params: readonly unknown[]): string {
  const [value] = params;
  if (typeof value !== 'number')
    throw new AdminError('usage', 'Parameter 1 must be a kind, a number.');
  return String(value);
}

function roleIn(params: readonly unknown[]) {
  const [id, label, description] = [0, 1, 2].map((at) =>
    params[at] == null && at > 0
      ? ''
      : text(params, at, ['an id', 'a label', 'a description'][at]!),
  ) as [string, string, string];
  return { id, label, description, color: whole(params, 3), order: whole(params, 4) };
}

function whole(params: readonly unknown[], at: number): number | null {
  const value = params[at];
  if (value == null || value === '') return null;
  const number = Number(value);
  if (!Number.isInteger(number))
    throw new AdminError('usage', `Parameter ${at + 1} must be an integer.`);
  return number;
}
