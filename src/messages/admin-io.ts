// Messages between admin worker and io: HTTP requests and their answers. It holds no state.

import type { SeenProxy } from '../config/proxy-advice.ts';
import type { Encoded } from '../lib/encoded.ts';
import type { RejectionBatch } from './rejections.ts';

/** Messages of the admin worker to io. */
export type ForIo =
  /** Banned addresses and networks, with the end of each ban in seconds since 1970 (0: never). */
  | { t: 'banned'; networks: { network: string; until: number }[] }
  | { t: 'info'; changes: InfoChanges }
  /** Answer to a management request or to the admin page, which may have more headers. */
  | { t: 'answer'; n: number; status: string; body: string; headers?: [string, string][] }
  /** Public page, or null if it cannot be made; the log has the reason. */
  | { t: 'page'; made: PageAnswer | null };

/** Public page and its live figures as JSON, made at the same moment. */
export interface PageAnswer {
  html: Encoded;
  figures: Encoded;
}

/** Changes of the relay's description at run time; fields that are missing are as configured. */
export interface InfoChanges {
  name?: string;
  description?: string;
  icon?: string;
  /** Public key of the relay itself (NIP-11). */
  self?: string;
}

/** Messages of io to the admin worker. */
export type FromIo = ManagementRequest | AdminCall | RejectionBatch | PageRequest | ProxyReport;

/**
 * io → admin: proxies that do not pass on the addresses of their clients, with the number of
 * sightings since the last report; at most one report a second.
 */
export interface ProxyReport {
  t: 'proxies';
  proxies: SeenProxy[];
}

/** io → admin: request for a new public page; a client asked for it, and the last one is old. */
export interface PageRequest {
  t: 'page';
  /** Address of the relay's icon. */
  icon: string;
}

/** io → admin: request of the management API (NIP-86), as it came. `n` numbers those of io. */
export interface ManagementRequest {
  t: 'management';
  n: number;
  authorization: string;
  host: string;
  /** Path and query. */
  url: string;
  body: Uint8Array;
}

/** io → admin: request of the admin page, as it came; '' for a header that is missing. */
export interface AdminCall {
  t: 'call';
  call: 'login' | 'logout' | 'api';
  n: number;
  authorization: string;
  cookie: string;
  host: string;
  origin: string;
  /** Header Sec-Fetch-Site. */
  fetchSite: string;
  contentType: string;
  /** Address of the client. `encrypted` is true if it came by https as far as io can tell. */
  ip: string;
  encrypted: boolean;
  body: Uint8Array;
}
