/** Authors, roles, invites, the relay's description. Types only; see api.ts. */
import type { ListRow } from './events.ts';

export interface PeopleVerbs {
  /** What a public key (hex, npub1…, nprofile1…) has here. */
  'mod.about': { params: { pubkey: string }; result: Author };
  /** All roles and who has them. (Members are `mod.listed` of list pubkey, stance allow.) */
  'mod.roles': { params: Record<string, never>; result: RoleWithMembers[] };
  /** Makes, changes or ends a role, gives it to somebody or takes it away. */
  'mod.role': { params: RoleParams; result: true };
  /**
   * A code by which `uses` people become members (NIP-43). `expiresAt`: seconds since 1970, 0: never; left
   * out: after `membership.invite_days`.
   */
  invite: {
    params: { uses?: number; expiresAt?: number };
    result: { code: string; uses: number; expiresAt: number };
  };
  /** Changes the relay's name, description or icon at once; '' as configured. Answers what is changed. */
  'mod.describe': {
    params: { what: 'name' | 'description' | 'icon'; text: string };
    result: { name?: string; description?: string; icon?: string };
  };
}

/** What somebody has here. */
export interface Author {
  pubkey: string;
  /** Events here, counted up to 1000; `more`: there are more than that. */
  events: number;
  more: boolean;
  /** The oldest created_at of theirs here, and the newest; null: there is nothing. */
  oldestAt: number | null;
  newestAt: number | null;
  /** When the first of the counted ones was accepted, in seconds since 1970; null: nobody remembers. */
  firstSeenAt: number | null;
  /** The lists that the key is on. */
  listed: ListRow[];
  /** `admin`, `moderator`, and roles by their id. */
  roles: string[];
  /** Reports about the person, and events that are held back. */
  reports: number;
  held: number;
}

/** A role (NIP-43). */
export interface RoleWithMembers {
  id: string;
  label: string;
  description: string;
  /** A hue from 0 to 360, or null. */
  color: number | null;
  /** For display. */
  order: number | null;
  /** Public keys. */
  members: string[];
}

export type RoleParams =
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
