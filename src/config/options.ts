/**
 * Every option of wok, once: the `Config` type, the defaults, the checks, the JSON Schema, the
 * environment variables and relay.conf are made from this table. To add an option, add a row.
 *
 * Names are `section.name`; the main noun comes first, unit and bound last.
 */
import type { ConfigOf, Option, OptionValue } from './option-types.ts';
import { rateOptions } from './rate-options.ts';

const KIB = 1024;
const MIB = 1024 * 1024;
const YEAR_SECONDS = 31_536_000;

/** The sections, in the order of the data path, with what stands above them in relay.conf. */
export const sections = {
  info: 'What the relay says about itself (NIP-11). What is empty is left out.',
  io: 'The one thread that holds all sockets.',
  limits: 'What a client may ask for. The relay information document (NIP-11) shows these numbers.',
  policy: 'What may be written. docs/policy.md has recipes.',
  rates:
    'How much one address, one network, one author, and everybody together may ask for: "20/s burst 500" is twenty a second and, after a rest, five hundred at once; s, min, h and day are known, k, M, KiB and MiB too; "" is no limit. Who asks for more is refused with the seconds to wait.',
  bans: 'Addresses that were refused again and again are left out for a while.',
  plugins: 'Programs and modules that decide what may be written. docs/plugins.md explains them.',
  auth: 'Who has to show a key (NIP-42), and what only those involved may read.',
  admin: 'Who may manage the relay from afar (NIP-86). Its own user may always do so with wok mod.',
  moderation: 'Bans, reports and the memory of decisions. docs/moderation.md explains them.',
  ingester: 'The threads that parse messages, check limits, and verify signatures.',
  writer: 'The one thread that writes to the database.',
  storage: 'The SQLite database.',
  query: 'The threads that answer from stored events.',
  monitor: 'The thread that matches new events with open subscriptions.',
  metrics: 'What the relay counts, for Prometheus, wok top and wok slow.',
  log: 'The log on standard output.',
  shutdown: 'What happens on SIGTERM and SIGINT.',
} as const;

export type SectionName = keyof typeof sections;

/** The option table. */
export const options = {
  'info.name': {
    type: 'string',
    default: 'wok relay',
    reload: true,
    text: 'The name that clients show. Keep it below 30 characters, some clients cut it off there.',
  },
  'info.description': {
    type: 'string',
    default: '',
    reload: true,
    text: 'What this relay is for, in plain text. An empty line separates paragraphs ("\\n\\n").',
  },
  'info.pubkey': {
    type: 'string',
    default: '',
    format: 'public_key',
    reload: true,
    text: 'The public key of the administrator, as 64 hex characters or npub1…. People send abuse reports and questions there.',
  },
  'info.contact': {
    type: 'string',
    default: '',
    reload: true,
    text: 'Another way to reach the administrator, best as an address like mailto:admin@relay.example.',
  },
  'info.icon': {
    type: 'string',
    default: '',
    format: 'web_address',
    reload: true,
    text: 'Address of a square image that stands for the relay.',
  },
  'info.banner': {
    type: 'string',
    default: '',
    format: 'web_address',
    reload: true,
    text: 'Address of a wide image that goes with the description.',
  },
  'info.privacy_policy': {
    type: 'string',
    default: '',
    format: 'web_address',
    reload: true,
    text: 'Address of the privacy policy.',
  },
  'info.terms_of_service': {
    type: 'string',
    default: '',
    format: 'web_address',
    reload: true,
    text: 'Address of the terms of service.',
  },
  'info.posting_policy': {
    type: 'string',
    default: '',
    format: 'web_address',
    reload: true,
    text: 'Address of the rules for posting. NIP-11 dropped the field in 2026, some clients still show it.',
  },

  'io.host': {
    type: 'string',
    default: '127.0.0.1',
    format: 'host',
    reload: false,
    text: 'Address to listen on. 127.0.0.1 serves a TLS proxy on the same machine; 0.0.0.0 or :: serves the network.',
  },
  'io.port': {
    type: 'integer',
    default: 7777,
    min: 1,
    max: 65_535,
    zero: 'any free port',
    reload: false,
    text: 'TCP port to listen on.',
  },
  'io.path': {
    type: 'string',
    default: '/',
    format: 'websocket_path',
    reload: false,
    text: 'The one path that takes WebSockets and serves the relay information document (NIP-01, NIP-11).',
  },
  'io.connections_max': {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    reload: true,
    text: 'Open connections in all. Each needs a file descriptor: raise LimitNOFILE (ulimit -n) above this number.',
  },
  'io.connections_per_ip_max': {
    type: 'integer',
    default: 100,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    zero: 'no limit',
    reload: true,
    text: 'Open connections from one IP address. Many people can share one: behind carrier NAT, through Tor, or behind a proxy that sends no X-Forwarded-For.',
  },
  'io.trusted_proxies': {
    type: 'string[]',
    default: ['127.0.0.1', '::1'],
    format: 'network',
    reload: true,
    text: 'Addresses and networks whose X-Forwarded-For is believed. Name your proxies and nothing else, or clients can pretend to be anyone.',
  },
  'io.allowed_origins': {
    type: 'string[]',
    default: [],
    format: 'origin',
    reload: true,
    text: 'Web pages that may connect, like "https://client.example"; an empty list allows any. Clients that are no web pages send no origin and are always allowed.',
  },
  'io.idle_timeout_seconds': {
    type: 'integer',
    default: 120,
    min: 8,
    max: 960,
    unit: 'seconds',
    zero: 'never',
    reload: false,
    text: 'A connection that is silent for this long, answers to pings included, is closed. It counts in steps of four seconds.',
  },
  'io.handshake_seconds': {
    type: 'integer',
    default: 5,
    min: 1,
    max: 8,
    unit: 'seconds',
    zero: 'after 8 to 12 seconds, by uWebSockets.js itself',
    reload: true,
    text: 'A connection on which nothing has been answered so long after it was made is closed: nobody asked for anything, or is still busy asking. It needs Linux and the optional package koffi; without them it is as if it were 0.',
  },
  'io.ping': {
    type: 'boolean',
    default: true,
    reload: false,
    text: 'Ping a silent connection shortly before its idle timeout, so that only dead ones are closed. There are no pings without an idle timeout.',
  },
  'io.outbound_bytes_max': {
    type: 'integer',
    default: 16 * MIB,
    min: 64 * KIB,
    max: 1024 * MIB,
    unit: 'bytes',
    reload: true,
    text: 'Bytes that may wait for one slow client. A client that lets more pile up is disconnected.',
  },
  'io.compression': {
    type: 'enum',
    values: ['off', 'shared', 'sliding'],
    default: 'off',
    reload: false,
    text: 'WebSocket compression. "shared" costs time; "sliding" compresses best and costs time and memory for each connection.',
  },
  'io.compression_min_bytes': {
    type: 'integer',
    default: KIB,
    min: 0,
    max: 64 * MIB,
    unit: 'bytes',
    reload: true,
    text: 'Shorter messages go out uncompressed.',
  },
  'io.queue_bytes_max': {
    type: 'integer',
    default: 8 * MIB,
    min: 64 * KIB,
    max: 1024 * MIB,
    unit: 'bytes',
    reload: true,
    text: 'Messages that may wait for one ingester lane. When it is full, new ones are refused.',
  },

  'limits.message_bytes_max': {
    type: 'integer',
    default: 256 * KIB,
    min: 4 * KIB,
    max: 64 * MIB,
    unit: 'bytes',
    reload: false,
    text: 'Longest message from a client. A longer one closes the connection (1009).',
  },
  'limits.event_bytes_max': {
    type: 'integer',
    default: 128 * KIB,
    min: KIB,
    max: 64 * MIB,
    unit: 'bytes',
    reload: true,
    text: 'Longest event, as JSON without spaces. A follow list takes about 71 bytes for each person followed.',
  },
  'limits.tags_max': {
    type: 'integer',
    default: 2000,
    min: 1,
    max: 100_000,
    unit: 'tags',
    reload: true,
    text: 'Tags in an event.',
  },
  'limits.tag_value_bytes_max': {
    type: 'integer',
    default: KIB,
    min: 64,
    max: 64 * MIB,
    unit: 'bytes',
    reload: true,
    text: 'Longest first value of a tag with a one-letter name, the ones that filters can ask for.',
  },
  'limits.content_length_max': {
    type: 'integer',
    default: 128_000,
    min: 1,
    max: 64 * MIB,
    unit: 'Unicode characters',
    reload: true,
    text: 'Longest content of an event. It must fit into limits.event_bytes_max beside id, keys and signature.',
  },
  'limits.json_depth_max': {
    type: 'integer',
    default: 16,
    min: 4,
    max: 128,
    unit: 'levels',
    reload: true,
    text: 'How deep the arrays and objects of a message may nest. An EVENT needs 4, a REQ 3; clients may add fields of their own.',
  },
  'limits.filters_max': {
    type: 'integer',
    default: 100,
    min: 1,
    max: 10_000,
    unit: 'filters',
    reload: true,
    text: 'Filters in one REQ or COUNT.',
  },
  'limits.filter_values_max': {
    type: 'integer',
    default: 5000,
    min: 1,
    max: 1_000_000,
    unit: 'values',
    reload: true,
    text: 'Values in all lists of one filter together. Clients ask for everyone they follow at once, often 1,000 to 2,000 authors.',
  },
  'limits.filter_tags_max': {
    type: 'integer',
    default: 10,
    min: 1,
    max: 52,
    unit: 'conditions',
    reload: true,
    text: 'Tag conditions (#e, #p …) in one filter.',
  },
  'limits.subscriptions_max': {
    type: 'integer',
    default: 100,
    min: 1,
    max: 100_000,
    unit: 'subscriptions',
    reload: true,
    text: 'Open subscriptions on one connection.',
  },
  'limits.subscription_id_length_max': {
    type: 'integer',
    default: 64,
    min: 64,
    max: 1024,
    unit: 'Unicode characters',
    reload: true,
    text: 'Longest subscription id. NIP-01 allows clients 64.',
  },
  'limits.limit_max': {
    type: 'integer',
    default: 1000,
    min: 1,
    max: 1_000_000,
    unit: 'events',
    reload: true,
    text: 'Most stored events for one filter. A higher limit in a filter is taken as this number.',
  },
  'limits.limit_default': {
    type: 'integer',
    default: 500,
    min: 1,
    max: 1_000_000,
    unit: 'events',
    reload: true,
    text: 'Most stored events for a filter without a limit.',
  },
  'limits.messages_in_flight_max': {
    type: 'integer',
    default: 1024,
    min: 1,
    max: 1_000_000,
    unit: 'messages',
    reload: true,
    text: 'EVENT, REQ and COUNT messages of one connection that wait for their answer. More are refused.',
  },
  'limits.created_at_past_seconds_max': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 100 * YEAR_SECONDS,
    unit: 'seconds',
    zero: 'no limit',
    reload: true,
    text: 'How old an event may be when it arrives. Without a limit people can bring their old notes along, and a profile or follow list that has not changed for years is still taken.',
  },
  'limits.created_at_future_seconds_max': {
    type: 'integer',
    default: 900,
    min: 1,
    max: 100 * YEAR_SECONDS,
    unit: 'seconds',
    zero: 'no limit',
    reload: true,
    text: 'How far ahead of this clock an event may be dated. An event from the future would stay on top of every feed.',
  },
  'limits.ephemeral_age_seconds_max': {
    type: 'integer',
    default: 900,
    min: 1,
    max: 100 * YEAR_SECONDS,
    unit: 'seconds',
    zero: 'no limit',
    reload: true,
    text: 'How old an ephemeral event (kinds 20000 to 29999) may be. They are passed on and never stored.',
  },

  'limits.created_at_past_by_kind': {
    type: 'string[]',
    default: [],
    format: 'kind_numbers',
    reload: true,
    text: 'Other ages for some kinds, in seconds (0: no limit), in place of created_at_past_seconds_max and ephemeral_age_seconds_max: "regular=31536000", "1059=0". The last entry that fits applies.',
  },
  'limits.created_at_future_by_kind': {
    type: 'string[]',
    default: [],
    format: 'kind_numbers',
    reload: true,
    text: 'Other bounds of the future for some kinds, in seconds (0: no limit), in place of created_at_future_seconds_max: "ephemeral=60". The last entry that fits applies.',
  },
  'limits.content_length_by_kind': {
    type: 'string[]',
    default: [],
    format: 'kind_numbers',
    reload: true,
    text: 'Shorter contents for some kinds, in Unicode characters: "1=5000", "7=64". The last entry that fits applies.',
  },

  'policy.kinds_allowed': {
    type: 'string[]',
    default: [],
    format: 'kinds',
    reload: true,
    text: 'Kinds that may be written, single ones and ranges like "20000-29999"; an empty list allows all.',
  },
  'policy.kinds_denied': {
    type: 'string[]',
    default: [],
    format: 'kinds',
    reload: true,
    text: 'Kinds that may not be written, even if they are allowed above.',
  },
  'policy.pubkeys_allowed': {
    type: 'string[]',
    default: [],
    format: 'known_key',
    reload: true,
    text: 'The only public keys that may write, as hex or npub; an empty list allows all that nothing else keeps out.',
  },
  'policy.pubkeys_denied': {
    type: 'string[]',
    default: [],
    format: 'known_key',
    reload: true,
    text: 'Public keys whose events are refused, whoever brings them.',
  },
  'policy.pow_min': {
    type: 'integer',
    default: 0,
    min: 0,
    max: 256,
    unit: 'bits',
    reload: true,
    text: 'Proof of work that an event must show (NIP-13) and commit to. 20 bits take a phone some seconds.',
  },
  'policy.pow_min_by_kind': {
    type: 'string[]',
    default: [],
    format: 'kind_bits',
    reload: true,
    text: 'Other proofs of work for some kinds: "1059=20", "0=0". The last entry that fits applies.',
  },
  'policy.hashtags_max': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 100_000,
    unit: 'tags',
    zero: 'no limit',
    reload: true,
    text: 'Hashtags (t tags) in one event.',
  },
  'policy.mentions_max': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 100_000,
    unit: 'tags',
    zero: 'no limit',
    reload: true,
    text: 'People mentioned (p tags) in one regular event, like a note. Follow lists and other lists are replaceable events and not meant.',
  },
  'policy.tags_required': {
    type: 'string[]',
    default: [],
    format: 'kind_tags',
    reload: true,
    text: 'Tags that events of some kinds must have: "30023=title", "regular=client". All entries that fit apply.',
  },
  'policy.tag_patterns_denied': {
    type: 'string[]',
    default: [],
    format: 'tag_pattern',
    reload: true,
    text: 'Tag values that are not taken, as name and regular expression (RE2): "t=(?i)^nsfw$".',
  },
  'policy.content_patterns_denied': {
    type: 'string[]',
    default: [],
    format: 'pattern',
    reload: true,
    text: 'Content that is not taken, as regular expressions (RE2, which needs time linear in the text): "(?i)free airdrop".',
  },

  ...rateOptions,
  'rates.pubkey_events_by_kind': {
    type: 'string[]',
    default: [],
    format: 'kind_rates',
    reload: true,
    text: 'Rates of an author for some kinds, in place of pubkey_events: "0=10/h", "ephemeral=20/s burst 200", "1059=none". The last entry that fits applies.',
  },
  'rates.exempt': {
    type: 'string[]',
    default: ['127.0.0.0/8', '::1'],
    format: 'network',
    reload: true,
    text: 'Addresses and networks without rates and bans, beside io.trusted_proxies. Loopback is among them, because behind a proxy that sends no X-Forwarded-For all clients would share one budget.',
  },
  'rates.ipv4_subnet_bits': {
    type: 'integer',
    default: 24,
    min: 8,
    max: 32,
    unit: 'bits',
    reload: true,
    text: 'How large a network of IPv4 addresses is held to account together.',
  },
  'rates.ipv6_subnet_bits': {
    type: 'integer',
    default: 48,
    min: 16,
    max: 128,
    unit: 'bits',
    reload: true,
    text: 'How large a network of IPv6 addresses is held to account together.',
  },
  'rates.ipv6_address_bits': {
    type: 'integer',
    default: 64,
    min: 32,
    max: 128,
    unit: 'bits',
    reload: true,
    text: 'How much of an IPv6 address counts as one address: a household has at least a /64.',
  },
  'rates.accounts_max': {
    type: 'integer',
    default: 65_536,
    min: 1024,
    max: 16_777_216,
    unit: 'accounts',
    reload: false,
    text: 'Addresses and networks, and as many authors, with something on their account at the same time. 112 bytes each.',
  },

  'bans.violations_max': {
    type: 'integer',
    default: 1000,
    min: 1,
    max: 1_000_000,
    unit: 'violations',
    zero: 'nobody is banned',
    reload: true,
    text: 'Violations of one address within the window below before it is banned: messages beyond its rates, messages that are no JSON, events with a false id or signature.',
  },
  'bans.window_seconds': {
    type: 'integer',
    default: 60,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    reload: true,
    text: 'The time within which violations are counted; they are forgiven one by one.',
  },
  'bans.ban_seconds': {
    type: 'integer',
    default: 300,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    reload: true,
    text: 'How long a ban lasts. New connections are refused with HTTP 429 and the time to wait, open ones stay and have their messages refused; coming back meanwhile makes it no longer.',
  },

  'plugins.commands': {
    type: 'string[]',
    default: [],
    format: 'plugin',
    reload: true,
    text: 'Programs that decide about events, in strfry\'s protocol, asked one after the other. Settings may stand in front of a command: name= (in logs), kinds=1,7 (asked about these only), asks=writes|reads|both, fail=open|closed, timeout=500ms, processes=4, pipeline=1; then " -- ".',
  },
  'plugins.fail': {
    type: 'enum',
    values: ['closed', 'open'],
    default: 'closed',
    reload: true,
    text: 'What happens when a plugin does not answer: "closed" refuses, "open" lets through.',
  },
  'plugins.timeout_milliseconds': {
    type: 'integer',
    default: 5000,
    min: 10,
    max: 600_000,
    unit: 'milliseconds',
    reload: true,
    text: 'How long anything may wait for a plugin. A process that answers nothing for this long is ended and started again.',
  },
  'plugins.processes': {
    type: 'integer',
    default: 1,
    min: 1,
    max: 64,
    unit: 'processes',
    reload: true,
    text: 'Processes of each plugin. What one connection sends is always decided by the same one. A plugin that counts or remembers needs one.',
  },
  'plugins.pipeline_max': {
    type: 'integer',
    default: 32,
    min: 1,
    max: 1024,
    unit: 'questions',
    reload: true,
    text: 'Questions that a process may have before it answers. With 1 it gets the next one after its answer, as in strfry.',
  },
  'plugins.breaker_failures': {
    type: 'integer',
    default: 3,
    min: 1,
    max: 1000,
    unit: 'failures',
    reload: true,
    text: 'After so many failures in a row a plugin is not asked for a while, and nobody waits for it.',
  },
  'plugins.breaker_seconds': {
    type: 'integer',
    default: 30,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    reload: true,
    text: 'How long; then one question is tried.',
  },
  'plugins.waiting_events_max': {
    type: 'integer',
    default: 2000,
    min: 1,
    max: 1_000_000,
    unit: 'events',
    reload: false,
    text: 'Events of one ingester lane that may wait for a verdict. More are refused with "rate-limited:".',
  },
  'plugins.waiting_bytes_max': {
    type: 'integer',
    default: 16 * MIB,
    min: 64 * KIB,
    max: 1024 * MIB,
    unit: 'bytes',
    reload: false,
    text: 'Their JSON, in all.',
  },

  'auth.private_kinds': {
    type: 'string[]',
    default: [],
    format: 'kinds',
    reload: false,
    text: 'Kinds that are only given to those who have authenticated as one whom the event is p-tagged for, or as its author (gift wraps have none). An empty list lets everybody read everything.',
  },

  'admin.pubkeys': {
    type: 'string[]',
    default: [],
    format: 'known_key',
    reload: true,
    text: 'Public keys that may do everything by the management API (NIP-86), beside info.pubkey, as hex or npub.',
  },
  'admin.moderators': {
    type: 'string[]',
    default: [],
    format: 'known_key',
    reload: true,
    text: 'Public keys that may ban, allow and list people and events and work on reports, and nothing else.',
  },

  'moderation.list_entries_max': {
    type: 'integer',
    default: 100_000,
    min: 100,
    max: 10_000_000,
    unit: 'entries',
    reload: true,
    text: 'Bans and allowances in all. Each takes some 300 bytes in every ingester lane.',
  },

  'ingester.lanes': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 256,
    unit: 'threads',
    zero: 'as the number of processors suggests',
    reload: false,
    text: 'Ingester threads. More of them verify more signatures at once.',
  },
  'ingester.signature_backend': {
    type: 'enum',
    values: ['auto', 'libsecp256k1', 'secp256k1', 'noble'],
    default: 'auto',
    reload: false,
    text: 'What verifies signatures: the library of the system, the npm package secp256k1, or JavaScript (some 25 times slower). "auto" takes the first of them that loads.',
  },

  'writer.batch_events_max': {
    type: 'integer',
    default: 1000,
    min: 1,
    max: 100_000,
    unit: 'events',
    reload: true,
    text: 'Most events in one commit. A client is told OK after the commit that holds its event.',
  },
  'writer.queue_events_max': {
    type: 'integer',
    default: 8192,
    min: 16,
    max: 1_000_000,
    unit: 'events',
    reload: true,
    text: 'Events that may wait for the writer. When it is full, new ones are refused.',
  },
  'writer.expired_purge_seconds': {
    type: 'integer',
    default: 60,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    reload: true,
    text: 'How often expired events (NIP-40) leave the disk. Clients do not get them from the second they expire.',
  },

  'storage.directory': {
    type: 'string',
    default: './data',
    format: 'directory',
    reload: false,
    text: 'Where the database is. A relative path starts at the directory in which the relay is started.',
  },
  'storage.synchronous': {
    type: 'enum',
    values: ['full', 'normal'],
    default: 'full',
    reload: true,
    text: 'With "full" an event that was answered with OK survives a power cut. With "normal" the newest may be lost then, though not in a crash of wok, and commits are faster.',
  },
  'storage.cache_mib': {
    type: 'integer',
    default: 64,
    min: 1,
    max: 65_536,
    unit: 'MiB',
    reload: true,
    text: 'Page cache for each thread that opens the database: the writer and every query lane.',
  },
  'storage.index_batch_events': {
    type: 'integer',
    default: 2000,
    min: 1,
    max: 1_000_000,
    unit: 'events',
    reload: true,
    text: 'New events enter the search index in batches of this size and are answered from memory until then. Larger batches write less and take more memory.',
  },
  'storage.index_delay_milliseconds': {
    type: 'integer',
    default: 1000,
    min: 1,
    max: 600_000,
    unit: 'milliseconds',
    reload: true,
    text: 'A smaller batch is indexed after the writer was idle for this long.',
  },
  'storage.checkpoint_pages': {
    type: 'integer',
    default: 4000,
    min: 100,
    max: 1_000_000,
    unit: 'pages of 4096 bytes',
    reload: true,
    text: 'When the write-ahead log is this long it is copied back into the database file.',
  },

  'query.lanes': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 256,
    unit: 'threads',
    zero: 'as the number of processors suggests',
    reload: false,
    text: 'Query threads.',
  },
  'query.slice_milliseconds': {
    type: 'integer',
    default: 10,
    min: 1,
    max: 1000,
    unit: 'milliseconds',
    reload: true,
    text: 'A long query makes way for others after this time and goes on later. New queries go first.',
  },
  'query.cache_bytes': {
    type: 'integer',
    default: 32 * MIB,
    min: 64 * KIB,
    max: 1024 * MIB,
    zero: 'no memory; everything is read from the database',
    unit: 'bytes',
    reload: false,
    text: 'Stored events that each lane keeps in memory as they leave for clients, for what is asked for again and again. The lists that lead to them take up to half as much on top.',
  },
  'query.timeline_events': {
    type: 'integer',
    default: 100_000,
    min: 16,
    max: 10_000_000,
    unit: 'events',
    reload: false,
    text: 'The newest events that each lane keeps in memory, sorted by time, for feeds (filters with many authors). About 50 bytes each.',
  },
  'query.queries_max': {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'queries',
    reload: true,
    text: 'Queries that one lane may have waiting or running. More are refused.',
  },
  'query.count_enabled': {
    type: 'boolean',
    default: true,
    reload: true,
    text: 'Answer COUNT (NIP-45).',
  },

  'monitor.replay_events_max': {
    type: 'integer',
    default: 8192,
    min: 16,
    max: 1_000_000,
    unit: 'events',
    reload: true,
    text: 'Newest events kept in memory, so that a subscription misses none between its stored events and the live ones. A query that takes longer than they last reads on from the database.',
  },

  'metrics.enabled': {
    type: 'boolean',
    default: true,
    reload: false,
    text: 'Serve the metrics at http://HOST:PORT/metrics. They are counted anyway.',
  },
  'metrics.host': {
    type: 'string',
    default: '127.0.0.1',
    format: 'host',
    reload: false,
    text: 'Address that serves the metrics. Whoever reaches it may read them.',
  },
  'metrics.port': {
    type: 'integer',
    default: 9777,
    min: 1,
    max: 65_535,
    zero: 'any free port',
    reload: false,
    text: 'TCP port that serves the metrics.',
  },
  'metrics.public': {
    type: 'boolean',
    default: false,
    reload: true,
    text: 'Serve the metrics at /metrics of the public port, too.',
  },
  'metrics.slow_query_milliseconds': {
    type: 'integer',
    default: 100,
    min: 1,
    max: 3_600_000,
    unit: 'milliseconds',
    zero: 'none is slow',
    reload: true,
    text: 'A query that took more work than this is counted as slow and shown by wok slow, without the values that it asked for.',
  },

  'log.level': {
    type: 'enum',
    values: ['debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    reload: true,
    text: 'Lines below this level are left out.',
  },
  'log.format': {
    type: 'enum',
    values: ['json', 'text'],
    default: 'text',
    reload: true,
    text: '"text" is for people, "json" has one object a line for log collectors.',
  },

  'shutdown.deadline_seconds': {
    type: 'integer',
    default: 10,
    min: 1,
    max: 600,
    unit: 'seconds',
    reload: true,
    text: 'How long a stop may take: clients are told, what was received is written, then everything ends. Give the service manager a little more.',
  },
} as const satisfies Record<`${SectionName}.${string}`, Option>;

/** The name of an option, `section.name`. */
export type OptionKey = keyof typeof options;

/** The whole configuration: `config.io.port` is the value of the row `io.port`. Frozen. */
export type Config = ConfigOf<typeof options>;

/** All options in the order of the table. */
export const optionKeys = Object.keys(options) as readonly OptionKey[];

/** One row of the table, as the general type. */
export function optionOf(key: OptionKey): Option {
  return options[key];
}

/** `io.port` to `['io', 'port']`. */
export function splitKey(key: OptionKey): [section: SectionName, name: string] {
  const dot = key.indexOf('.');
  return [key.slice(0, dot) as SectionName, key.slice(dot + 1)];
}

/** Whether a text is the name of an option. */
export function isOptionKey(text: string): text is OptionKey {
  return Object.hasOwn(options, text);
}

/** One value out of a configuration, by name. */
export function configValue(config: Config, key: OptionKey): OptionValue {
  const [section, name] = splitKey(key);
  return (config[section] as Readonly<Record<string, OptionValue>>)[name]!;
}

/** The frozen configuration of the given, already checked values; what is missing is the default. */
export function buildConfig(values: ReadonlyMap<OptionKey, OptionValue>): Config {
  const config: Record<string, Record<string, OptionValue>> = {};
  for (const key of optionKeys) {
    const [section, name] = splitKey(key);
    const value = values.get(key) ?? optionOf(key).default;
    config[section] ??= {};
    config[section][name] = typeof value === 'object' ? Object.freeze([...value]) : value;
  }
  for (const section of Object.values(config)) Object.freeze(section);
  return Object.freeze(config) as Config;
}

/** The built-in defaults; `storage.directory` is still relative. */
export const defaultConfig: Config = buildConfig(new Map());
