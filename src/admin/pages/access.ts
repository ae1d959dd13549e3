// Permissions of the admin page: the RPC methods it may call, by role.

import type { Config } from '../../config/options.ts';
import type { PageRole, PageVerb } from '../../web/api/api.ts';

/** Rule for moderators: never, always, or unless the function returns an objection (a sentence). */
type ForModerators = boolean | ((params: Params, config: Config) => string | null);

/** Parameters as received: an object with unchecked fields. */
type Params = Readonly<Record<string, unknown>>;

/**
 * RPC methods of the admin page with the rule for moderators; admins may call all of them.
 *
 * Methods of the control socket that are left out: `restart`, because the new process ends the
 * session of the caller, and a person who can restart a relay has a shell; `events.remove`, because
 * it takes seqs that only `wok delete` has looked up; `metrics` and `exposition`, because
 * Prometheus has its own address and the page has `dashboard`; `status`, `mod.list`, `mod.reports`,
 * `mod.quarantine` and `mod.retention`, because the methods listed here answer in pages of a
 * bounded size instead; and `why.reads`.
 */
const access: Readonly<Record<PageVerb, ForModerators>> = {
  session: true,
  dashboard: true,
  connections: false,
  slow: false,
  'mod.queue': true,
  'mod.report': true,
  'mod.dismiss': true,
  'mod.held': true,
  'mod.release': true,
  'mod.discard': true,
  'mod.listed': ofPeople,
  'mod.put': (params, config) =>
    ofPeople(params) ?? (params.remove === true ? maySweep(config) : null),
  'mod.take': ofPeople,
  'mod.remove': (params, config) => (params.what === 'author' ? maySweep(config) : null),
  'mod.audit': true,
  'mod.about': true,
  'mod.roles': false,
  'mod.role': false,
  invite: false,
  'mod.describe': false,
  search: true,
  why: true,
  config: false,
  'config.compare': false,
  reload: false,
  'retention.task': false,
};

/** Returns the methods that a role may call, perhaps not with all parameters. */
export function verbsOf(role: PageRole): PageVerb[] {
  const all = Object.keys(access) as PageVerb[];
  return role === 'admin' ? all : all.filter((verb) => access[verb] !== false);
}

export function isPageVerb(name: string): name is PageVerb {
  return Object.hasOwn(access, name);
}

/** Returns the reason why a role may not make a call, or null. */
export function objection(
  role: PageRole,
  verb: PageVerb,
  params: unknown,
  config: Config,
): string | null {
  if (role === 'admin') return null;
  const rule = access[verb];
  if (typeof rule === 'boolean') return rule ? null : `${verb} is for admins only.`;
  const given = typeof params === 'object' && params !== null ? (params as Params) : {};
  return rule(given, config);
}

function ofPeople({ list }: Params): string | null {
  return ['pubkey', 'author', 'event'].includes(String(list))
    ? null
    : 'Moderators see and change the lists pubkey, author and event; the others are for admins only.';
}

/** Objection to removing all events of an author, by the same rule as `banpubkey` of NIP-86. */
function maySweep({ moderation }: Config): string | null {
  return moderation.ban_removes
    ? null
    : 'Removing all of an author is for admins only on this relay (moderation.ban_removes).';
}
