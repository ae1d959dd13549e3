// Constants: bounds and paces that no operator sets. Each has one value, chosen by measurement or
// by a protocol, and is a member of `Config` beside the options. Tests override them by
// WOK_CONSTANTS.

import type { Constant } from './option-types.ts';

const KIB = 1024;
const MIB = 1024 * 1024;
const DAY_SECONDS = 86_400;
const YEAR_SECONDS = 365 * DAY_SECONDS;

interface IntegerConstant {
  readonly type: 'integer';
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

interface BooleanConstant {
  readonly type: 'boolean';
  readonly default: boolean;
}

/** Returns a constant that is an integer; tests may set it from `min` to `max`. */
function integer(value: number, min: number, max: number): IntegerConstant {
  return { type: 'integer', default: value, min, max };
}

function boolean(value: boolean): BooleanConstant {
  return { type: 'boolean', default: value };
}

/** Constants by name, `section.name`, in the order of the data path. */
export const constants = {
  /**
   * Seconds after which a connection is closed on which nothing was answered: no client needs as
   * long to ask. 0: uWebSockets.js closes it after 8 to 12 seconds, as it also does without the
   * optional package koffi or Linux, and with `tls.cert` once TLS has begun.
   */
  'io.handshake_seconds': integer(5, 0, 8),
  /** Pings before the idle timeout (`io.idle_timeout_seconds`), so that only dead clients end. */
  'io.ping': boolean(true),
  /** Bytes that may wait for one slow client, which is disconnected beyond: a long feed fits. */
  'io.outbound_bytes_max': integer(16 * MIB, 64 * KIB, 1024 * MIB),
  /**
   * Bytes that may wait for all slow clients together. Beyond it those with the largest backlogs
   * are disconnected, of equal ones those that have taken nothing for the longest time.
   */
  'io.outbound_total_bytes_max': integer(96 * MIB, MIB, 64 * 1024 * MIB),
  /** Seconds until a client is disconnected that takes nothing of what waits for it; 0: never. */
  'io.drain_seconds': integer(60, 0, DAY_SECONDS),
  /** Bytes from which on a message is compressed: a shorter one hardly becomes shorter. */
  'io.compression_min_bytes': integer(KIB, 0, 64 * MIB),
  /**
   * Receive buffer of the kernel for a connection, in bytes (SO_RCVBUF): a client that floods is
   * read so far before others have their turn, and one that is 100 ms away can send ten times as
   * much a second. 0: as the system sets it. It needs Linux and the optional package koffi.
   */
  'io.receive_buffer_bytes': integer(32 * KIB, 0, 64 * MIB),
  /** The same for a new connection, for its first second. */
  'io.receive_buffer_start_bytes': integer(16 * KIB, 2 * KIB, 64 * MIB),
  /** The same for a connection whose buffer is full in long turns of the event loop. */
  'io.receive_buffer_flood_bytes': integer(2304, 2304, 64 * MIB),
  /**
   * Bytes of messages that may wait for one ingester worker, with 512 for each; beyond it new ones
   * are rejected. One address may have as much unanswered as is still free, and 64 KiB in any case.
   */
  'io.queue_bytes_max': integer(32 * MIB, 64 * KIB, 1024 * MIB),

  /** Levels of arrays and objects in a message. An EVENT needs 4, a REQ 3; clients add fields. */
  'limits.json_depth_max': integer(16, 4, 128),
  /**
   * Bytes of the first value of a tag with a one-letter name, the ones that filters ask for. a, A
   * and q, which may hold an address that ends with a `d`, may have 71 more.
   */
  'limits.tag_value_bytes_max': integer(KIB, 64, 64 * MIB),
  /**
   * Unicode characters of the content of an event, lowered to what fits into
   * `limits.event_bytes_max`. An operator shortens contents by `limits.content_length_by_kind`.
   */
  'limits.content_length_max': integer(128_000, 1, 64 * MIB),
  /** Seconds that an ephemeral event may be old: it is passed on and never stored; 0: no limit. */
  'limits.ephemeral_age_seconds_max': integer(900, 0, 100 * YEAR_SECONDS),
  /** Tag conditions (#e, #p …) in one filter: no client is known that asks for more. */
  'limits.filter_tags_max': integer(10, 1, 52),
  /**
   * Values in all lists of one filter: clients ask for everyone they follow at once, often 1,000 to
   * 2,000 authors.
   */
  'limits.filter_values_max': integer(5000, 1, 1_000_000),
  /** Unicode characters of a subscription id: what NIP-01 allows. */
  'limits.subscription_id_length_max': integer(64, 64, 1024),
  /** Bytes of unanswered messages of one connection, 512 for each: about 8,000 small events. */
  'limits.in_flight_bytes_max': integer(8 * MIB, KIB, 1024 * MIB),

  /** Milliseconds that a module may take for an answer: longer, and clients notice. */
  'policy.modules_timeout_milliseconds': integer(1000, 1, 600_000),
  /**
   * Seconds after which a module that does not return is switched off until the next start, and its
   * worker is replaced, because nothing else ends a loop of JavaScript; 0: never.
   */
  'policy.modules_stuck_seconds': integer(10, 0, 3600),
  /** Keys in the web of trust, nearest first: 32 bytes each. */
  'trust.keys_max': integer(500_000, 1000, 10_000_000),
  /** Seconds between two computations of the web of trust, which run in the background. */
  'trust.refresh_seconds': integer(1800, 1, 7 * DAY_SECONDS),
  /** Seconds for which a NIP-05 address that was found holds; it is renewed before that. */
  'nip05.verified_seconds': integer(7 * DAY_SECONDS, 60, YEAR_SECONDS),
  /** Seconds until an address is looked up again that was not found or did not answer. */
  'nip05.failed_seconds': integer(300, 1, DAY_SECONDS),
  /** Seconds that a look-up of a NIP-05 address may take. */
  'nip05.timeout_seconds': integer(5, 1, 60),
  /**
   * True if NIP-05 addresses may be looked up in private networks, there by http too. False, so
   * that a stranger cannot make this machine ask its neighbours; tests serve addresses on loopback.
   */
  'nip05.private_networks': boolean(false),

  /** Bytes of messages from one address: events and queries are bounded beside it. */
  'rates.ip_bytes': { type: 'string', format: 'rate', default: '1MiB/s burst 64MiB' },
  /** Index entries that every query may read before a used-up budget cuts it short. */
  'rates.query_work_min': integer(5000, 500, 1_000_000_000),
  /** Bits of an IPv4 subnet: the smallest one that is announced on the internet. */
  'rates.ipv4_subnet_bits': integer(24, 8, 32),
  /** Bits of an IPv6 subnet: a site is usually assigned a /48. */
  'rates.ipv6_subnet_bits': integer(48, 16, 128),
  /** Bits of an IPv6 address that count as one address: a household has at least a /64. */
  'rates.ipv6_address_bits': integer(64, 32, 128),
  /** Addresses and subnets, and as many keys, with a token bucket: 112 bytes each. */
  'rates.accounts_max': integer(65_536, 1024, 16_777_216),
  /** Seconds in which violations are counted (`bans.violations_max`), forgiven one by one. */
  'bans.window_seconds': integer(60, 1, DAY_SECONDS),

  /** Keys from which on the same text counts as a duplicate. */
  'spam.duplicate_keys': integer(3, 2, 32),
  /** Seconds that a text is remembered after it was last seen; the memory holds 16,384 texts. */
  'spam.duplicate_seconds': integer(3600, 1, 7 * DAY_SECONDS),
  /** Letters of a text that can be a duplicate: many people write "good morning". */
  'spam.duplicate_letters_min': integer(30, 1, 4000),
  /** Links of an event without points. */
  'spam.links_free': integer(3, 0, 1000),
  /** Mentioned people of an event without points: a reply carries on all that its thread names. */
  'spam.mentions_free': integer(20, 0, 10_000),
  /** Hashtags of an event without points. */
  'spam.hashtags_free': integer(8, 0, 1000),
  /** Events in quarantine; beyond it the oldest are dropped. */
  'spam.quarantine_max': integer(10_000, 1, 1_000_000),
  /** Seconds until an event in quarantine that was not released is dropped: 30 days. */
  'spam.quarantine_seconds': integer(30 * DAY_SECONDS, 60, 10 * YEAR_SECONDS),

  /** True lets relay lists name addresses that are not public, for tests. */
  'peer_lists.any_address': boolean(false),

  /** Processes of a plugin that does not say `processes=`: a plugin that counts needs one. */
  'plugins.processes': integer(1, 1, 64),
  /** Questions that a plugin process may have before it answers, unless it says `pipeline=`. */
  'plugins.pipeline_max': integer(32, 1, 1024),
  /** Failures in a row after which a plugin or module is not asked for a while. */
  'plugins.breaker_failures': integer(3, 1, 1000),
  /** Seconds for which it is not asked after that; then one question is tried. */
  'plugins.breaker_seconds': integer(30, 1, DAY_SECONDS),
  /** Events of one ingester worker that may wait for the answer of a plugin. */
  'plugins.waiting_events_max': integer(2000, 1, 1_000_000),
  /** Bytes of the JSON of those events. */
  'plugins.waiting_bytes_max': integer(16 * MIB, 64 * KIB, 1024 * MIB),

  /** Days that an invite code (NIP-43) holds that does not say a time of its own. */
  'membership.invite_days': integer(7, 1, 3650),
  /** Keys that may authenticate on one connection. */
  'auth.pubkeys_max': integer(20, 1, 1000),
  /** Gift wraps that an inbox relay (`auth.dm_inbox`) keeps for one recipient. */
  'auth.dm_inbox_events_max': integer(10_000, 1, 10_000_000),
  /** Bytes of a request by the management API (NIP-86) or the page /admin. */
  'admin.request_bytes_max': integer(64 * KIB, KIB, 16 * MIB),
  /** Management requests carried out at once, at most a quarter of them from one network. */
  'admin.requests_max': integer(32, 1, 10_000),
  /** Seconds that the time of an authorization (NIP-98) may be from this clock, as the NIP says. */
  'admin.window_seconds': integer(60, 5, 3600),
  /** Seconds that a login to the page /admin holds: a working day. */
  'admin.session_seconds': integer(43_200, 1, 30 * DAY_SECONDS),
  /** Seconds without a request after which a session ends; an open page asks every few seconds. */
  'admin.session_idle_seconds': integer(3600, 1, 30 * DAY_SECONDS),
  /** Sessions at once, a fifth of them for one key; beyond it the one used least lately ends. */
  'admin.sessions_max': integer(100, 1, 10_000),

  /** Reports (kind 1984) that may wait for moderators; 0: no queue. */
  'moderation.reports_max': integer(10_000, 0, 1_000_000),
  /** Decisions that `wok why` remembers, about 300 bytes each; 0: none. */
  'moderation.decisions_max': integer(50_000, 0, 100_000_000),
  /** Rejection records a second of each worker; further rejections are only counted. */
  'moderation.decisions_per_second_max': integer(50, 0, 10_000),
  /** Bans and allowances in all: each takes some 300 bytes in every ingester worker. */
  'moderation.list_entries_max': integer(100_000, 100, 10_000_000),
  /** Percent of `retention.mib_max` to which the database shrinks when it has grown beyond it. */
  'retention.mib_target_percent': integer(90, 10, 100),
  /** Seconds between two checks of `retention.age` and `retention.count`. */
  'retention.interval_seconds': integer(3600, 1, 7 * DAY_SECONDS),

  /**
   * Library that verifies signatures: that of the system, the npm package secp256k1, or JavaScript,
   * some 25 times slower. "auto" takes the first that loads; the others are for comparisons.
   */
  'ingester.signature_backend': {
    type: 'enum',
    values: ['auto', 'libsecp256k1', 'secp256k1', 'noble'],
    default: 'auto',
  },
  /** Events in one commit: with more of them an OK waits longer and no event becomes cheaper. */
  'writer.batch_events_max': integer(1000, 1, 100_000),
  /** Events that may wait for the writer; one whose message exceeds 4 kB counts as several. */
  'writer.queue_events_max': integer(8192, 16, 1_000_000),
  /** Seconds between two removals of expired events (NIP-40), which are not served meanwhile. */
  'writer.expired_purge_seconds': integer(60, 1, DAY_SECONDS),
  /**
   * True if new events are stored packed: the database is a third smaller, and an event that is not
   * in memory takes two microseconds longer to read. Both forms are read.
   */
  'storage.pack_bodies': boolean(true),
  /**
   * Events of one write to the search index; they are answered from memory until then. Larger
   * batches write less and take more memory. From 250,000 stored events on batches grow with the
   * log, up to four times this.
   */
  'storage.index_batch_events': integer(5000, 1, 1_000_000),
  /** Milliseconds without a write after which a smaller batch is indexed. */
  'storage.index_delay_milliseconds': integer(1000, 1, 600_000),

  /**
   * Threads of query workers and monitor: "own", or "shared" with the ingester workers, which makes
   * short queries a sixth cheaper, and lets a long one delay events by up to
   * `query.slice_milliseconds`. "auto" shares on up to two processors.
   */
  'query.threads': { type: 'enum', values: ['auto', 'shared', 'own'], default: 'auto' },
  /** Milliseconds that a worker spends on queries before it reads its messages. */
  'query.slice_milliseconds': integer(5, 1, 1000),
  /** Newest events that each query worker keeps sorted by time, for feeds: 50 bytes each. */
  'query.timeline_events': integer(100_000, 16, 10_000_000),
  /** Queries of one worker that may wait or run; more are rejected. */
  'query.queries_max': integer(10_000, 1, 1_000_000),
  /**
   * True if COUNT (NIP-45) is answered. It is charged like a query, so that relays need not switch
   * it off.
   */
  'query.count_enabled': boolean(true),
  /**
   * Newest events in memory for subscriptions that are between stored and live events. A query that
   * takes longer than they last reads on from the database.
   */
  'monitor.replay_events_max': integer(8192, 16, 1_000_000),
  /** Filters with a tree of ids: each event may be in all of them, at 45 bytes. */
  'negentropy.trees_max': integer(16, 1, 1000),
  /** Seconds after which a session is ended in which its client sends nothing. */
  'negentropy.idle_seconds': integer(120, 1, DAY_SECONDS),
  /** Milliseconds that the sync worker spends on sessions before it reads its messages. */
  'negentropy.slice_milliseconds': integer(10, 1, 1000),
  /** Lines of one thread with the same text in a minute, so that no flood fills a disk; 0: all. */
  'log.lines_per_minute_max': integer(60, 0, 1_000_000),
  /**
   * Seconds over which the old process of a graceful restart asks its clients to reconnect, one
   * after the other, so that they do not all come at once.
   */
  'shutdown.handover_seconds': integer(10, 1, 3600),
} as const satisfies Record<`${string}.${string}`, Constant>;

/** Name of a constant, `section.name`. */
export type ConstantKey = keyof typeof constants;

/** Names of all constants in the order of the table. */
export const constantKeys = Object.keys(constants) as readonly ConstantKey[];

/** Returns true if a text is the name of a constant. */
export function isConstantKey(text: string): text is ConstantKey {
  return Object.hasOwn(constants, text);
}
