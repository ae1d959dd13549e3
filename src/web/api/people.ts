// Types of the admin page's calls about authors, roles, invites and the relay description. Types
// only, shared with the browser; see api.ts.

import type { ListRow } from './events.ts';

export interface PeopleMethods {
  /** Returns the statistics of a public key (hex, npub1…, nprofile1…). */
  'mod.about': { params: { pubkey: string }; result: Author };
  /** Returns all roles with their members. (Members of the relay: `mod.listed`, pubkey, allow.) */
  'mod.roles': { params: Record<string, never>; result: RoleWithMembers[] };
  /** Makes, changes or deletes a role, assigns it or takes it from a key. */
  'mod.role': { params: RoleParams; result: true };
  /**
   * Returns a code by which `uses` people become members (NIP-43). `expiresAt`: seconds since 1970,
   * 0: never; by default after `membership.invite_days`.
   */
  invite: {
    params: { uses?: number; expiresAt?: number };
    result: { code: string; uses: number; expiresAt: number };
  };
  /** Changes name, description or icon at once; '' as configured. Returns all changes. */
  'mod.describe': {
    params: { what: 'name' | 'description' | 'icon'; text: string };
    result: { name?: string; description?: string; icon?: string };
  };
}

/** Statistics of an author on this relay. */
export interface Author {
  pubkey: string;
  /** Number of stored events, counted up to 1000; `more`: there are more than that. */
  events: number;
  more: boolean;
  /** Oldest and newest created_at of the stored events; null if there are none. */
  oldestAt: number | null;
  newestAt: number | null;
  /** Time of acceptance of the first counted event, in seconds since 1970; null if not recorded. */
  firstSeenAt: number | null;
  /** List entries of the key. */
  listed: ListRow[];
  /** `admin`, `moderator`, and ids of roles. */
  roles: string[];
  /** Number of reports about the person, and of quarantined events. */
  reports: number;
  held: number;
}

/** Role (NIP-43). */
export interface RoleWithMembers {
  id: string;
  label: string;
  description: string;
  /** Hue from 0 to 360, or null. */
  color: number | null;
  /** Display order. */
  order: number | null;
  /** Public keys. */
  members: string[];
}

type RoleParams =
  | {
      do: 'create' | 'edit';
      id: string;
      label?: string;
      description?: string;
      color?: number | null;
      order?: number | null;
    }
  | { do: 'delete'; id: string }
  | { do: 'assign' | 'unassign'; id: string; pubkey: string };
