// Changes of the rows of members: roles, uses of invites, receipts. They run on the writer thread,
// in its transaction.

import type { ChangeHandlers } from '../messages/admin-writer.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';

/** Returns the handlers of these changes. */
export function memberRows(
  db: Db,
): ChangeHandlers<'role' | 'unrole' | 'assign' | 'unassign' | 'useInvite' | 'receipt'> {
  const role = db.prepare(sql.UPSERT_ROLE);
  const dropRole = db.prepare(sql.DELETE_ROLE);
  const roleOf = db.prepare(sql.INSERT_ROLE_OF);
  const dropRoleOf = db.prepare(sql.DELETE_ROLE_OF);
  const dropRoleOfAll = db.prepare(sql.DELETE_ROLE_OF_ALL);
  const useInvite = db.prepare(sql.USE_INVITE);
  const setReceipt = db.prepare(sql.SET_VANISH_RECEIPT);
  return {
    role: ({ role: { id, label, description, color, order } }) =>
      role.run(id, label, description, color, order).changes,
    unrole: ({ id }) => {
      dropRoleOfAll.run(id);
      return dropRole.run(id).changes;
    },
    assign: ({ pubkey, role: id, by, at }) => roleOf.run(pubkey, by, at, id).changes,
    unassign: ({ pubkey, role: id }) => dropRoleOf.run(pubkey, id).changes,
    useInvite: ({ nonce, uses, expiresAt }) => useInvite.run(nonce, expiresAt, uses).changes,
    receipt: ({ request, receipt }) => setReceipt.run(receipt, request).changes,
  };
}
