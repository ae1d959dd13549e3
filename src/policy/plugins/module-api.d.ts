// Public types of policy modules: `import type { AcceptEvent } from 'wok-relay/policy'`.
// docs/plugins.md explains them with two examples. This file has no imports, so that the author of
// a module needs no other.

/** Signed event (NIP-01), id and signature checked. Do not change it: it is what is stored. */
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

/** Filter (NIP-01) as a client wrote it, after it was checked. */
export interface PolicyFilter {
  readonly ids?: readonly string[];
  readonly authors?: readonly string[];
  readonly kinds?: readonly number[];
  readonly since?: number;
  readonly until?: number;
  readonly limit?: number;
  readonly [tag: `#${string}`]: readonly string[];
}

/** Connection that an event or a query came from. */
export interface PolicyClient {
  /** Number of the connection since the start of the relay. */
  readonly connId: number;
  /** Address of the client, as told by trusted proxies. */
  readonly ip: string;
  /** Public keys that have authenticated on the connection (NIP-42), in hex. */
  readonly authed: ReadonlySet<string>;
}

/**
 * Result of a hook. `true` accepts. A text refuses and is sent to the client; it should begin with
 * a standard word (`blocked: `, `pow: `, `rate-limited: `, `restricted: ` …), else `blocked: ` is
 * put in front. Any other value, `undefined` above all, is a fault of the module.
 */
export type Decision = true | string;

/** Additional result for events: pretend to accept, with an optional text, and store nothing. */
export interface ShadowReject {
  readonly action: 'shadowReject';
  readonly message?: string;
}

/** Additional result for queries: answer other filters instead. */
export interface ReplaceFilters {
  readonly action: 'replace';
  readonly filters: readonly PolicyFilter[];
}

/** Hook for every event that has passed all other rules but plugins. */
export type AcceptEvent = (
  event: PolicyEvent,
  client: PolicyClient,
) => Decision | ShadowReject | Promise<Decision | ShadowReject>;

/** Hook for every REQ and COUNT. */
export type AcceptFilter = (
  filters: readonly PolicyFilter[],
  client: PolicyClient,
  type: 'REQ' | 'COUNT',
) => Decision | ReplaceFilters | Promise<Decision | ReplaceFilters>;

/** Hook for every connection, before its first message. A refused one is closed with 1008. */
export type AcceptConnection = (client: PolicyClient) => Decision | Promise<Decision>;

/** Argument of `start`. Each ingester worker loads its own copy of the module. */
export interface PolicyStart {
  /** Number of the ingester worker, from 0. */
  readonly worker: number;
  /** Writes a line into the relay's log. */
  readonly log: (text: string, facts?: Record<string, unknown>) => void;
}

/** Exports of a policy module, all of them optional. */
export interface PolicyModule {
  readonly acceptEvent?: AcceptEvent;
  readonly acceptFilter?: AcceptFilter;
  readonly acceptConnection?: AcceptConnection;
  /** Called once; the relay waits for it before it takes connections. */
  readonly start?: (start: PolicyStart) => void | Promise<void>;
  /** Called when the relay stops. */
  readonly stop?: () => void;
}
