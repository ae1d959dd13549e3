/**
 * What a policy module is: `import type { AcceptEvent } from 'wok-relay/policy'`. docs/plugins.md has the
 * whole story and two examples. This file stands alone, so that a module's author needs no other.
 */

/** A signed event (NIP-01), its id and signature checked. Do not change it: it is what will be stored. */
export interface PolicyEvent {
  readonly id: string;
  readonly pubkey: string;
  /** Seconds since 1970. */
  readonly created_at: number;
  readonly kind: number;
  readonly tags: readonly (readonly string[])[];
  readonly content: string;
  readonly sig: string;
}

/** A filter (NIP-01) as a client wrote it, after it was checked. */
export interface PolicyFilter {
  readonly ids?: readonly string[];
  readonly authors?: readonly string[];
  readonly kinds?: readonly number[];
  readonly since?: number;
  readonly until?: number;
  readonly limit?: number;
  readonly [tag: `#${string}`]: readonly string[];
}

/** The connection that something came by. */
export interface PolicyClient {
  /** Numbers the connections since the start of the relay. */
  readonly connId: number;
  /** The address, behind trusted proxies. */
  readonly ip: string;
  /** The public keys that have authenticated on it (NIP-42), in hex. */
  readonly authed: ReadonlySet<string>;
}

/**
 * `true` accepts. A text refuses and is what the client reads; it should begin with a standard word
 * (`blocked: `, `pow: `, `rate-limited: `, `restricted: ` …), else `blocked: ` is put in front. Anything
 * else, `undefined` above all, is a fault of the module.
 */
export type Decision = true | string;

/** For events also: pretend to accept, with an optional text, and store nothing. */
export interface ShadowReject {
  readonly action: 'shadowReject';
  readonly message?: string;
}

/** For queries also: ask the database something else instead. */
export interface ReplaceFilters {
  readonly action: 'replace';
  readonly filters: readonly PolicyFilter[];
}

/** Asked about every event that has passed all other rules but plugins. */
export type AcceptEvent = (
  event: PolicyEvent,
  client: PolicyClient,
) => Decision | ShadowReject | Promise<Decision | ShadowReject>;

/** Asked about every REQ and COUNT. */
export type AcceptFilter = (
  filters: readonly PolicyFilter[],
  client: PolicyClient,
  verb: 'REQ' | 'COUNT',
) => Decision | ReplaceFilters | Promise<Decision | ReplaceFilters>;

/** Asked when somebody connects, before any message is read. A refused connection is closed with 1008. */
export type AcceptConnection = (client: PolicyClient) => Decision | Promise<Decision>;

/** What a module is told when it is loaded. Each ingester lane loads its own. */
export interface PolicyStart {
  /** Numbers the lanes from 0. */
  readonly lane: number;
  /** Writes a line into the relay's log. */
  readonly log: (text: string, facts?: Record<string, unknown>) => void;
}

/** The exports of a policy module, all of them optional. */
export interface PolicyModule {
  readonly acceptEvent?: AcceptEvent;
  readonly acceptFilter?: AcceptFilter;
  readonly acceptConnection?: AcceptConnection;
  /** Called once; the relay waits for it before it takes connections. */
  readonly start?: (start: PolicyStart) => void | Promise<void>;
  /** Called when the relay stops. */
  readonly stop?: () => void;
}
