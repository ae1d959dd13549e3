// Relay description (NIP-11 name, description, icon) as changed at runtime, with its RPC method and
// its NIP-86 methods; stored in the database.

import { z } from 'zod';
import type { InfoChanges } from '../messages/admin-io.ts';
import { RpcError, rpcMethod } from '../rpc/method.ts';
import { type Nip86Method, textParam } from '../rpc/nip86.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import type { AdminContext } from './context.ts';

/** Parts of the relay description that can be changed at runtime. */
const names = ['name', 'description', 'icon'] as const;
type InfoName = (typeof names)[number];

const LENGTH_MAX = 10_000;

/** RPC method `mod.describe`: changes name, description or icon; '' restores the configured one. */
export const describeMethod = rpcMethod({
  params: z.strictObject({ what: z.enum(names), text: z.string() }),
  async run({ what, text }, context: AdminContext, { by }): Promise<InfoChanges> {
    await changeInfo(context, what, text, by);
    return infoChanges(context.db);
  },
});

/** Returns a NIP-86 method that changes a part of the description. */
export function describing(name: InfoName): Nip86Method<AdminContext> {
  return (params, context, { by }) => changeInfo(context, name, textParam(params, 0, 'a text'), by);
}

/** Returns the changes stored in the database. */
export function infoChanges(db: Db): InfoChanges {
  const rows = db.prepare(sql.SELECT_SETTINGS).all() as { name: string; value: string }[];
  const parts = rows.filter(({ name }) => names.some((part) => name === `info.${part}`));
  return Object.fromEntries(parts.map(({ name, value }) => [name.slice('info.'.length), value]));
}

/** Changes a part, at once and for good; '' restores the configured value. @throws RpcError */
async function changeInfo(
  context: AdminContext,
  what: InfoName,
  value: string,
  by: string,
): Promise<void> {
  if (value.length > LENGTH_MAX) {
    throw new RpcError('usage', `This has at most ${LENGTH_MAX} characters.`);
  }
  if (what === 'icon' && value !== '' && !/^https?:\/\/\S+$/i.test(value)) {
    throw new RpcError('usage', 'An icon is an address that starts with https:// or http://.');
  }
  const at = context.clock.seconds();
  const name = `info.${what}`;
  await context.change([
    { t: 'setting', name, value: value === '' ? null : value },
    { t: 'audit', at, by, action: `change ${name}`, subject: value, reason: '' },
  ]);
  context.describe();
}
