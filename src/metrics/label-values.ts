// Values of metric labels. All of them are here, so that nothing a client sends becomes a label.

import { PEERS_MAX } from '../config/peer-fields.ts';

export const CLIENT_MESSAGE_TYPES = [
  'EVENT',
  'REQ',
  'COUNT',
  'CLOSE',
  'AUTH',
  'NEG-OPEN',
  'NEG-MSG',
  'NEG-CLOSE',
  'other',
] as const;

export const RELAY_MESSAGE_TYPES = [
  'EVENT',
  'OK',
  'EOSE',
  'CLOSED',
  'NOTICE',
  'COUNT',
  'AUTH',
  'NEG-MSG',
  'NEG-ERR',
  'other',
] as const;

/** Reasons why a client of a reverse proxy has no known address (`config/proxy-advice.ts`). */
export const PROXY_FAULTS = ['missing', 'malformed', 'untrusted'] as const;

/** Event classes of NIP-01; `none` for values that are no event. */
export const EVENT_CLASSES = [
  'regular',
  'replaceable',
  'addressable',
  'ephemeral',
  'none',
] as const;

/** Outcomes of events. `passed`: an ephemeral event, delivered and not stored. */
export const EVENT_OUTCOMES = [
  'stored',
  'passed',
  'duplicate',
  'refused',
  'failed',
  'quarantined',
] as const;

/** Outcomes of the spam stage (`policy/spam/`). */
export const SPAM_RESULTS = ['pass', 'quarantine', 'shadow', 'reject'] as const;

/** Kinds that have a series of their own; all others are `other`. */
export const KINDS = [
  '0',
  '1',
  '3',
  '4',
  '5',
  '6',
  '7',
  '16',
  '1059',
  '1111',
  '1984',
  '9734',
  '9735',
  '10002',
  '10050',
  '22242',
  '23194',
  '23195',
  '24133',
  '30023',
  '30078',
  'other',
] as const;

/** Prefixes of `protocol/refusal.ts`. */
export const REFUSAL_PREFIXES = [
  'duplicate',
  'pow',
  'blocked',
  'rate-limited',
  'invalid',
  'restricted',
  'auth-required',
  'mute',
  'error',
  'unsupported',
  'closed',
  'other',
] as const;

/** Message types that a refusal can answer. */
export const REFUSED = ['EVENT', 'REQ', 'COUNT', 'AUTH', 'NEG-OPEN', 'NEG-MSG', 'other'] as const;

/** Reasons for which a connection ended. */
export const CLOSE_REASONS = [
  'client',
  'lost',
  'idle',
  'too_big',
  'protocol',
  'slow',
  'policy',
  'worker_restart',
  'shutdown',
] as const;

/** Reasons for which no WebSocket was opened. */
export const ADMISSION_REASONS = [
  'full',
  'per_address',
  'per_network',
  'rate',
  'origin',
  'banned',
  'stopping',
] as const;

/** Bounded queues and rates that clients can run into. */
export const LIMITS = [
  'in_flight',
  'ingester_queue',
  'writer_queue',
  'subscriptions',
  'queries',
  'query_memory',
  'rule',
] as const;

/**
 * Indexes that a query can read (`store/read/plan.ts`); `several` for filters that read different
 * lists.
 */
export const INDEXES = [
  'id',
  'address',
  'author',
  'author_kind',
  'tag',
  'kind',
  'all',
  'timeline',
  'several',
  'none',
] as const;

export const REMOVALS = ['replaced', 'deleted', 'expired', 'vanished', 'other'] as const;

/** Value of a label for names that are counted together, when there are too many of them. */
export const OTHER = 'other';

/** Slots of the labels `plugin` and `peer`; `slot-names.ts` maps them to names. */
export const PLUGIN_SLOTS = slots(15);
export const PEER_SLOTS = slots(PEERS_MAX);

/** Directions of the events of a peer, and results of those that were offered to a relay. */
export const PEER_DIRECTIONS = ['down', 'up'] as const;
export const PEER_RESULTS = ['stored', 'known', 'refused', 'missing', 'unasked'] as const;
/** Sides of a comparison. */
export const PEER_SIDES = ['here', 'there'] as const;

/** Faults of plugins, or `busy`: overloaded. */
export const PLUGIN_FAILURES = ['silent', 'ended', 'wrong', 'flood', 'busy'] as const;

/**
 * Policy results (`policy/result.ts`); a failed or late plugin refuses or accepts, as configured.
 */
export const POLICY_RESULTS = ['accept', 'refuse', 'shadow', 'hold'] as const;

export { LOG_LEVELS } from '../log/line-limiter.ts';

export const HTTP_RESOURCES = [
  'information',
  'page',
  'figures',
  'asset',
  'health',
  'metrics',
  'admin',
  'other',
] as const;

/** Statistics of the event loop's delay, over the last 15 seconds. */
export const LAG_STATISTICS = ['mean', 'p99', 'max'] as const;

function slots(count: number): string[] {
  return [...Array.from({ length: count }, (_, index) => String(index + 1)), OTHER];
}
