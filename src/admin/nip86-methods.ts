// Table of the methods of the relay management API (NIP-86, all as of 2026-06): which exist, the
// role that each needs, and whether it writes.

import * as roles from '../members/nip86.ts';
import * as moderation from '../moderation/nip86.ts';
import type { Nip86Method } from '../rpc/nip86.ts';
import type { PageRole } from '../web/api/api.ts';
import type { AdminContext, AdminReads } from './context.ts';
import { describing } from './info.ts';

/** Entry of the table; a method that does not write has a context by which it cannot. */
type Nip86Entry = {
  /** Lowest role that may call it. */
  readonly role: PageRole;
} & (
  | { readonly writes: false; readonly run: Nip86Method<AdminReads> }
  /** Its authorization is spent by the call, and the client gets `true` as its result. */
  | { readonly writes: true; readonly run: Nip86Method<AdminContext> }
);

const supportedMethods: Nip86Method<AdminReads> = (_params, _context, _caller, own) =>
  own.filter((name) => name !== 'supportedmethods');

/** Methods of NIP-86 by name. */
export const nip86Methods: Readonly<Record<string, Nip86Entry>> = {
  supportedmethods: { run: supportedMethods, role: 'moderator', writes: false },
  banpubkey: { run: moderation.banPubkey, role: 'moderator', writes: true },
  unbanpubkey: { run: moderation.taking('pubkey', 'ban'), role: 'moderator', writes: true },
  listbannedpubkeys: {
    run: moderation.listing('pubkey', 'ban'),
    role: 'moderator',
    writes: false,
  },
  allowpubkey: { run: moderation.putting('pubkey', 'allow'), role: 'moderator', writes: true },
  unallowpubkey: { run: moderation.taking('pubkey', 'allow'), role: 'moderator', writes: true },
  listallowedpubkeys: {
    run: moderation.listing('pubkey', 'allow'),
    role: 'moderator',
    writes: false,
  },
  createrole: { run: roles.createRole, role: 'admin', writes: true },
  editrole: { run: roles.editRole, role: 'admin', writes: true },
  deleterole: { run: roles.deleteRole, role: 'admin', writes: true },
  assignrole: { run: roles.assignRole, role: 'admin', writes: true },
  unassignrole: { run: roles.unassignRole, role: 'admin', writes: true },
  listeventsneedingmoderation: { run: moderation.reportedEvents, role: 'moderator', writes: false },
  allowevent: { run: moderation.allowEvent, role: 'moderator', writes: true },
  banevent: { run: moderation.banEventById, role: 'moderator', writes: true },
  listbannedevents: {
    run: moderation.listing('event', 'ban'),
    role: 'moderator',
    writes: false,
  },
  changerelayname: { run: describing('name'), role: 'admin', writes: true },
  changerelaydescription: { run: describing('description'), role: 'admin', writes: true },
  changerelayicon: { run: describing('icon'), role: 'admin', writes: true },
  allowkind: { run: moderation.allowKind, role: 'admin', writes: true },
  disallowkind: { run: moderation.disallowKind, role: 'admin', writes: true },
  listallowedkinds: { run: moderation.allowedKinds, role: 'admin', writes: false },
  blockip: { run: moderation.putting('ip', 'ban'), role: 'admin', writes: true },
  unblockip: { run: moderation.taking('ip', 'ban'), role: 'admin', writes: true },
  listblockedips: { run: moderation.listing('ip', 'ban'), role: 'admin', writes: false },
};
