// Table of every option of wok: the `Config` type, the defaults, the checks, the JSON Schema, the
// environment variables and relay.conf are made from it. To add an option, add a row.
// Names are `section.name`; the main noun comes first, unit and bound last.

import { accessOptions } from './access-options.ts';
import { type ConstantKey, constantKeys, constants } from './constants.ts';
import type { ConfigOf, Constant, Option, OptionValue } from './option-types.ts';
import { pageOptions } from './page-options.ts';
import type { PeerEntry } from './peer-fields.ts';
import { rateOptions } from './rate-options.ts';
import { standardSpamPoints } from './spam-points.ts';

/** Number of bytes of a message around its event: `["EVENT",` and `]`. */
export const MESSAGE_FRAME_BYTES = 10;
/** Bytes of an event's JSON without tags and content: id, keys, numbers, signature. */
const EVENT_FRAME_BYTES = 400;
const KIB = 1024;
const MIB = 1024 * 1024;
const YEAR_SECONDS = 31_536_000;

/** Sections in the order of the table, with the text above them in relay.conf. */
export const sections = {
  info: 'The relay information document (NIP-11). Empty values are left out.',
  io: 'Network: addresses, connections, proxies.',
  tls: 'TLS without a reverse proxy. Leave this empty if a proxy terminates TLS.',
  limits: 'Limits for clients. The relay information document (NIP-11) shows most of them.',
  policy: 'Rules for events. docs/policy.md has recipes.',
  trust: 'Web of trust: keys that trusted keys follow may write.',
  nip05: 'Keys with a NIP-05 address may write.',
  admission: 'Keys that have paid may write.',
  rates:
    'Rate limits for one address, one subnet and one author: "20/s burst 500" is 20 per second with bursts of up to 500. Units are s, min, h and day, and k, M, KiB and MiB; "" is no limit. Messages beyond a limit are refused with the seconds to wait.',
  bans: 'Temporary bans of addresses with repeated violations.',
  spam: 'Spam score: points for signs of spam, and thresholds. docs/spam.md explains it.',
  plugins: 'Plugins: programs that decide about events and queries. docs/plugins.md explains them.',
  identity: 'Addresses and key of this relay.',
  membership: 'Members of the relay (NIP-43).',
  auth: 'Authentication (NIP-42), and kinds that only their authors and recipients may read.',
  admin:
    'Keys that may manage the relay remotely (NIP-86, and the page /admin). The user of the relay process may always use wok mod.',
  pages: 'Pages for browsers: the public page at / and the admin page at /admin.',
  moderation: 'Bans, reports and the record of decisions. docs/moderation.md explains them.',
  retention:
    'How long events are kept. wok mod retention preview shows what would be removed. Members are admins, moderators, allowed keys and keys with a role; only rules with @members apply to them.',
  ingester: 'Threads that check events.',
  storage: 'The SQLite database.',
  query: 'Threads that read stored events.',
  negentropy: 'Syncing with other relays and with clients (NIP-77), in a thread of its own.',
  metrics: 'Metrics for Prometheus, wok top and wok slow.',
  log: 'The log on standard output.',
  shutdown: 'Shutdown on SIGTERM and SIGINT, and graceful restart (SIGUSR2).',
} as const;

export type SectionName = keyof typeof sections;

/** Option table, in the order of relay.conf. */
export const options = {
  'info.name': {
    type: 'string',
    default: 'wok relay',
    reload: true,
    text: 'Name that clients show. Keep it below 30 characters, because some clients cut it off there.',
  },
  'info.description': {
    type: 'string',
    default: '',
    reload: true,
    text: 'Purpose of this relay, in plain text. An empty line separates paragraphs ("\\n\\n").',
  },
  'info.pubkey': {
    type: 'string',
    default: '',
    format: 'public_key',
    reload: true,
    text: 'Public key of the administrator. Clients send reports to it, and it has all rights on /admin and by NIP-86, like a key in admin.pubkeys.',
  },
  'info.contact': {
    type: 'string',
    default: '',
    reload: true,
    text: 'Another contact of the administrator, preferably a URI like mailto:admin@relay.example.',
  },
  'info.icon': {
    type: 'string',
    default: '',
    format: 'web_address',
    reload: true,
    text: 'URL of a square image, the icon of the relay.',
  },
  'info.banner': {
    type: 'string',
    default: '',
    format: 'web_address',
    reload: true,
    text: 'URL of a wide image, the banner of the relay.',
  },
  'info.privacy_policy': {
    type: 'string',
    default: '',
    format: 'web_address',
    reload: true,
    text: 'URL of the privacy policy.',
  },
  'info.terms_of_service': {
    type: 'string',
    default: '',
    format: 'web_address',
    reload: true,
    text: 'URL of the terms of service.',
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
    text: 'Path that accepts WebSockets and serves the relay information document (NIP-01, NIP-11).',
  },
  'io.connections_max': {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    reload: true,
    text: 'Maximum number of open connections. Each needs a file descriptor: raise LimitNOFILE (ulimit -n) above this number; otherwise fewer connections are accepted.',
  },
  'io.connections_per_ip_max': {
    type: 'integer',
    default: 100,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    zero: 'no limit',
    reload: true,
    text: 'Maximum number of open connections from one IP address; an IPv6 /64 counts as one address. Many users can share an address: behind carrier NAT, through Tor, or behind a proxy that sends no X-Forwarded-For.',
  },
  'io.connections_per_subnet_max': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    zero: 'no limit',
    reload: true,
    text: 'Maximum number of open connections from one subnet (an IPv4 /24, an IPv6 /48).',
  },
  'io.trusted_proxies': {
    type: 'string[]',
    default: ['127.0.0.1', '::1'],
    format: 'network',
    reload: true,
    text: 'Addresses and networks of reverse proxies whose header with the client address (client_address_header) is trusted. Name only your proxies, otherwise clients can forge their addresses.',
  },
  'io.client_address_header': {
    type: 'string',
    default: 'x-forwarded-for',
    format: 'header',
    reload: true,
    text: 'Header in which trusted proxies send the address of the client. It is read from the right, up to the first address that is not a trusted proxy. Some proxies have a header of their own: cf-connecting-ip, x-real-ip.',
  },
  'io.allowed_origins': {
    type: 'string[]',
    default: [],
    format: 'origin',
    reload: true,
    text: 'Origins of web pages that may connect, like "https://client.example"; an empty list allows all. Clients that are not web pages send no origin and are always allowed.',
  },
  'io.idle_timeout_seconds': {
    type: 'integer',
    default: 120,
    min: 8,
    max: 960,
    unit: 'seconds',
    zero: 'never',
    reload: false,
    text: 'Close a connection that has sent nothing, not even a pong, for this long. Rounded to 4 seconds.',
  },
  'io.compression': {
    type: 'enum',
    values: ['off', 'shared', 'sliding'],
    default: 'off',
    reload: false,
    text: 'WebSocket compression (permessage-deflate): "shared" has one compressor for all connections, "sliding" one for each, which compresses best and takes more memory. Both cost CPU time.',
  },

  'tls.cert': {
    type: 'string',
    default: '',
    format: 'absolute_file',
    reload: false,
    text: 'Certificate chain file (PEM): with it the relay serves wss and https itself. A changed file is loaded within 15 seconds, for new connections.',
  },
  'tls.key': {
    type: 'string',
    default: '',
    format: 'absolute_file',
    reload: false,
    text: 'Private key file of the certificate (PEM), readable by the user of the relay.',
  },

  'limits.message_bytes_max': {
    type: 'integer',
    default: 256 * KIB,
    min: 4 * KIB,
    max: 16 * MIB,
    unit: 'bytes',
    reload: false,
    text: 'Maximum size of a message from a client. A longer one closes the connection (1009).',
  },
  'limits.event_bytes_max': {
    type: 'integer',
    default: 256 * KIB - MESSAGE_FRAME_BYTES,
    min: KIB,
    max: 16 * MIB,
    unit: 'bytes',
    reload: true,
    text: 'Maximum size of an event, as JSON without spaces. To raise it, raise limits.message_bytes_max too. A follow list takes 73 bytes a key.',
  },
  'limits.tags_max': {
    type: 'integer',
    default: 2000,
    min: 1,
    max: 100_000,
    unit: 'tags',
    reload: true,
    text: 'Maximum number of tags in an event.',
  },
  'limits.filters_max': {
    type: 'integer',
    default: 100,
    min: 1,
    max: 10_000,
    unit: 'filters',
    reload: true,
    text: 'Maximum number of filters in one REQ or COUNT.',
  },
  'limits.subscriptions_max': {
    type: 'integer',
    default: 500,
    min: 1,
    max: 100_000,
    unit: 'subscriptions',
    reload: true,
    text: 'Maximum number of open subscriptions on one connection: apps open up to 300 at once. Each takes about 1 kB of memory, and 64 bytes for each id or pubkey in its filters. A REQ beyond it waits up to two seconds for another subscription to end.',
  },
  'limits.subscription_bytes_max': {
    type: 'integer',
    default: 64 * MIB,
    min: MIB,
    max: 1024 * MIB,
    unit: 'bytes',
    reload: true,
    text: 'Memory of all open subscriptions: 1 kB for each and about 100 bytes for each id or pubkey in their filters, so 60,000 small ones or 1,200 feeds of 500 authors. One address may hold as much as is still free; a REQ beyond it is closed. Set more for many clients with large feeds.',
  },
  'limits.limit_max': {
    type: 'integer',
    default: 1000,
    min: 1,
    max: 1_000_000,
    unit: 'events',
    reload: true,
    text: 'Maximum number of stored events for one filter. A higher limit in a filter is reduced to it.',
  },
  'limits.limit_default': {
    type: 'integer',
    default: 500,
    min: 1,
    max: 1_000_000,
    unit: 'events',
    reload: true,
    text: 'Maximum number of stored events for a filter without a limit.',
  },
  'limits.created_at_past_seconds_max': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 100 * YEAR_SECONDS,
    unit: 'seconds',
    zero: 'any age',
    reload: true,
    text: 'Older events are refused. Ephemeral events are refused after 15 minutes in any case. Leave 0 so that users can import old notes.',
  },
  'limits.created_at_future_seconds_max': {
    type: 'integer',
    default: 900,
    min: 1,
    max: 100 * YEAR_SECONDS,
    unit: 'seconds',
    zero: 'no limit',
    reload: true,
    text: 'How far in the future created_at may be. An event from the future would stay on top of every feed.',
  },

  'limits.content_length_by_kind': {
    type: 'string[]',
    default: [],
    format: 'kind_numbers',
    reload: true,
    text: 'Lower content limits for some kinds, in Unicode characters: "1=5000", "7=64". The general limit is 128,000 characters, or what fits into limits.event_bytes_max. The last matching entry applies.',
  },

  'policy.kinds_allowed': {
    type: 'string[]',
    default: [],
    format: 'kinds',
    reload: true,
    text: 'Kinds that are accepted, single ones and ranges like "20000-29999"; an empty list allows all.',
  },
  'policy.kinds_denied': {
    type: 'string[]',
    default: [],
    format: 'kinds',
    reload: true,
    text: 'Kinds that are refused, even if they are allowed above.',
  },
  'policy.pubkeys_allowed': {
    type: 'string[]',
    default: [],
    format: 'known_key',
    reload: true,
    text: 'Public keys that may write, as hex or npub. An empty list allows all keys that no other rule refuses; with other access rules see access_match.',
  },
  'policy.pubkeys_denied': {
    type: 'string[]',
    default: [],
    format: 'known_key',
    reload: true,
    text: 'Public keys whose events are refused, whichever connection sends them.',
  },
  'policy.pow_min': {
    type: 'integer',
    default: 0,
    min: 0,
    max: 256,
    unit: 'bits',
    reload: true,
    text: 'Leading zero bits that an event id must have; its nonce tag must state at least this target (NIP-13). 20 bits take a phone a few seconds.',
  },
  'policy.pow_min_by_kind': {
    type: 'string[]',
    default: [],
    format: 'kind_bits',
    reload: true,
    text: 'Proof of work for some kinds: "1059=20", "0=0". The last matching entry applies.',
  },
  'policy.hashtags_max': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 100_000,
    unit: 'tags',
    zero: 'no limit',
    reload: true,
    text: 'Maximum number of hashtags (t tags) in one event.',
  },
  'policy.mentions_max': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 100_000,
    unit: 'tags',
    zero: 'no limit',
    reload: true,
    text: 'Maximum number of mentions (p tags) in one regular event, like a note. Follow lists and other lists are replaceable events and exempt.',
  },
  'policy.tags_required': {
    type: 'string[]',
    default: [],
    format: 'kind_tags',
    reload: true,
    text: 'Tags that events of some kinds must have: "30023=title", "regular=client". All matching entries apply.',
  },
  'policy.tag_patterns_denied': {
    type: 'string[]',
    default: [],
    format: 'tag_pattern',
    reload: true,
    text: 'Tag values that are refused, as name and regular expression (RE2): "t=(?i)^nsfw$".',
  },
  'policy.content_patterns_denied': {
    type: 'string[]',
    default: [],
    format: 'pattern',
    reload: true,
    text: 'Content that is refused, as regular expressions (RE2, which runs in linear time): "(?i)free airdrop".',
  },

  'policy.modules': {
    type: 'string[]',
    default: [],
    reload: false,
    text: 'Policy modules: JavaScript files whose acceptEvent, acceptFilter and acceptConnection are called, in this order. Relative to the working directory of the relay; use absolute paths in a service. docs/plugins.md explains them.',
  },
  ...accessOptions,

  ...rateOptions,
  'rates.pubkey_events_by_kind': {
    type: 'string[]',
    default: [],
    format: 'kind_rates',
    reload: true,
    text: 'Rates of an author for some kinds, instead of pubkey_events: "0=10/h", "ephemeral=20/s burst 200", "1059=none". The last matching entry applies.',
  },
  'rates.subnet_factor': {
    type: 'integer',
    default: 4,
    min: 1,
    max: 1000,
    zero: 'no limits by subnet',
    reload: true,
    text: 'Rates of a subnet (an IPv4 /24, an IPv6 /48) as a multiple of those of an address.',
  },
  'rates.exempt': {
    type: 'string[]',
    default: ['127.0.0.0/8', '::1'],
    format: 'network',
    reload: true,
    text: 'Addresses and networks exempt from rates and bans, in addition to io.trusted_proxies. Loopback is included, because behind a proxy that sends no X-Forwarded-For all clients would share one budget. Set [] if untrusted clients come by loopback (Tor, stunnel).',
  },

  'bans.violations_max': {
    type: 'integer',
    default: 1000,
    min: 1,
    max: 1_000_000,
    unit: 'violations',
    zero: 'no address is banned',
    reload: true,
    text: 'An address with this many violations within a minute is banned. Violations are: messages beyond its rates, messages that are not JSON, events with a wrong id or signature.',
  },
  'bans.ban_seconds': {
    type: 'integer',
    default: 300,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    reload: true,
    text: 'Duration of a ban. Open connections are closed and new ones refused with HTTP 429 and the time to wait; attempts during a ban do not extend it.',
  },

  'spam.mode': {
    type: 'enum',
    default: 'off',
    values: ['off', 'observe', 'enforce'],
    reload: true,
    text: 'Handling of events that look like spam: nothing ("off"), a log line ("observe"), or the thresholds below ("enforce").',
  },
  'spam.kinds': {
    type: 'string[]',
    default: ['1', '42', '1111', '1311', '30023'],
    format: 'kinds',
    reload: true,
    text: 'Kinds that are scored.',
  },
  'spam.reject_points': {
    type: 'integer',
    default: 100,
    min: 1,
    max: 1000000,
    unit: 'points',
    zero: 'never',
    reload: true,
    text: 'Points from which an event is refused with "blocked:" and the reasons. The highest threshold that an event reaches applies.',
  },
  'spam.shadow_points': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 1000000,
    unit: 'points',
    zero: 'never',
    reload: true,
    text: 'Points from which the client is told OK, but the event is neither stored nor delivered (shadow reject).',
  },
  'spam.quarantine_points': {
    type: 'integer',
    default: 70,
    min: 1,
    max: 1000000,
    unit: 'points',
    zero: 'never',
    reload: true,
    text: 'Points from which an event is held in quarantine, hidden from clients, until a moderator releases it (wok mod quarantine).',
  },
  'spam.points': {
    type: 'string[]',
    default: standardSpamPoints,
    format: 'spam_points',
    reload: true,
    text: 'Points of each sign of spam; one that is left out has its default, 0 switches it off. duplicate: nearly the same text from several keys; link, mention, hashtag: each beyond the usual number; capitals: a text in capitals; new-key: an author without a profile (kind 0) here; report: each trusted reporter (moderation.trusted_reporters) of the author. docs/spam.md has the numbers.',
  },
  'spam.words_file': {
    type: 'string',
    default: '',
    reload: true,
    text: 'File of words, phrases and /expressions/, one per line, with points in front (default 50); docs/spam.md explains it. It is read again when it changes.',
  },

  'plugins.commands': {
    type: 'string[]',
    default: [],
    format: 'plugin',
    reload: true,
    text: 'Programs that decide about events, in the plugin protocol of strfry, called in this order: "/etc/wok/whitelist.py", or with settings "name=spam kinds=1,42 fail=open timeout=300ms -- python3 /etc/wok/spam.py". docs/plugins.md has all settings.',
  },
  'plugins.fail': {
    type: 'enum',
    values: ['closed', 'open'],
    default: 'closed',
    reload: true,
    text: 'What happens when a plugin or a module fails or does not answer: "closed" refuses, "open" accepts.',
  },
  'plugins.timeout_milliseconds': {
    type: 'integer',
    default: 5000,
    min: 10,
    max: 600_000,
    unit: 'milliseconds',
    reload: true,
    text: 'Timeout for answers of a plugin. A process that does not answer for this long is restarted.',
  },

  'identity.urls': {
    type: 'string[]',
    default: [],
    format: 'relay_url',
    reload: true,
    text: 'The public addresses, like "wss://relay.example". Needed on a public relay for login (NIP-42), /admin, NIP-86 and requests to vanish. Empty: only loopback names and io.host are accepted. wok doctor shows the names that clients use.',
  },

  'identity.secret_key_file': {
    type: 'string',
    default: '',
    reload: false,
    text: 'File with the secret key of the relay itself, as nsec1… or 64 hex characters; empty: relay.key in storage.directory, created when the relay first signs an event. The relay signs its member list with it.',
  },
  'identity.announce': {
    type: 'boolean',
    default: false,
    reload: true,
    text: 'Announce this relay to clients that look for relays (NIP-66): once an hour it fetches its own information document from the first of identity.urls, measures how long a connection and a REQ take, and publishes kind 30166, signed with its own key.',
  },
  'identity.announce_urls': {
    type: 'string[]',
    default: [],
    format: 'relay_url',
    reload: true,
    text: 'Other relays that get the announcement, too.',
  },
  'identity.vanish': {
    type: 'boolean',
    default: true,
    reload: true,
    text: 'Carry out requests to vanish (NIP-62) that name one of identity.urls or all relays: all events of the key up to then, and gift wraps for it, are removed and never accepted again. A request that names neither is stored like any event.',
  },

  'membership.enabled': {
    type: 'boolean',
    default: false,
    reload: true,
    text: 'The relay has members (NIP-43): keys that joined with an invite (wok invite) or were allowed by wok mod allow pubkey or NIP-86. It publishes their list.',
  },
  'membership.restrict_writes': {
    type: 'boolean',
    default: true,
    reload: true,
    text: 'Only members may write; see also policy.access_match and policy.open_kinds.',
  },
  'membership.restrict_reads': {
    type: 'boolean',
    default: false,
    reload: true,
    text: 'Only connections authenticated as a member may read.',
  },
  'membership.members_invite': {
    type: 'boolean',
    default: true,
    reload: true,
    text: 'A member that requests kind 28935 gets an invite code for one use.',
  },

  'auth.required': {
    type: 'enum',
    default: 'none',
    values: ['none', 'write', 'read', 'all'],
    reload: true,
    text: 'What a client has to authenticate for (NIP-42), with any key: "write" for EVENT, "read" for REQ and COUNT.',
  },
  'auth.challenge': {
    type: 'enum',
    default: 'auto',
    values: ['auto', 'connect', 'demand'],
    reload: true,
    text: 'When the challenge is sent: "connect" as soon as a client connects; "demand" with the first answer that begins with "auth-required:"; "auto" at connect where the configuration asks for authentication to read or to write, else on demand. Several clients stop reading, or prompt their user at once, when they get a challenge that they do not need.',
  },
  'auth.dm_inbox': {
    type: 'boolean',
    default: false,
    reload: true,
    text: 'The relay is an inbox for private messages (NIP-17): it accepts only gift wraps, from any author, and what their recipients need (profiles, relay lists, deletions); reading requires authentication.',
  },
  'auth.private_kinds': {
    type: 'string[]',
    default: ['4', '1059', '21059'],
    format: 'kinds',
    reload: true,
    text: 'Kinds that are only sent to connections authenticated as a recipient (p tag) or as the author (gift wraps have no real author). With an empty list all kinds are public.',
  },

  'admin.pubkeys': {
    type: 'string[]',
    default: [],
    format: 'known_key',
    reload: true,
    text: 'Public keys with all rights in the management API (NIP-86) and the page /admin, in addition to info.pubkey, as hex or npub.',
  },
  'admin.moderators': {
    type: 'string[]',
    default: [],
    format: 'known_key',
    reload: true,
    text: 'Public keys that may ban, allow and list keys and events and handle reports. docs/admin.md explains what they see of the page /admin.',
  },

  ...pageOptions,

  'moderation.ban_removes': {
    type: 'boolean',
    default: true,
    reload: true,
    text: 'Whether a ban of a public key by the management API (NIP-86) also removes its events. With wok mod ban, --remove does.',
  },
  'moderation.trusted_reporters': {
    type: 'string[]',
    default: [],
    format: 'known_key',
    reload: true,
    text: 'Public keys whose reports come first in the queue, in addition to admins, moderators and allowed keys. Their own events are never spam ([spam]).',
  },
  'moderation.audit_days': {
    type: 'integer',
    default: 730,
    min: 1,
    max: 36_500,
    unit: 'days',
    zero: 'for ever',
    reload: true,
    text: 'How long entries of the audit log are kept.',
  },

  'retention.age': {
    type: 'string[]',
    default: [],
    format: 'retention_age',
    reload: true,
    text: 'Maximum age of stored events by created_at: "7=30d", "regular=1y", "1@members=10y". Units are s, m (minutes), h, d, w, y; the last matching entry applies. An empty list keeps everything.',
  },
  'retention.count': {
    type: 'string[]',
    default: [],
    format: 'retention_count',
    reload: true,
    text: 'How many events of a kind are kept for one author, the newest ones: "7=1000", "30078=50". The last matching entry applies.',
  },
  'retention.mib_max': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 1_000_000_000,
    unit: 'MiB',
    zero: 'no limit',
    reload: true,
    text: 'Maximum size of the database. Beyond it the oldest events of keys that are not members are removed until it is down to 90 %. The file keeps its size; free pages in it are used again.',
  },
  'retention.budget_kinds_spared': {
    type: 'string[]',
    default: ['0', '3', '10000-19999'],
    format: 'kinds',
    reload: true,
    text: 'Kinds that retention.mib_max does not remove: profiles, follow lists and other lists, by default.',
  },
  'retention.pubkeys_protected': {
    type: 'string[]',
    default: [],
    format: 'known_key',
    reload: true,
    text: 'Further public keys that retention treats as members.',
  },

  'ingester.workers': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 256,
    unit: 'threads',
    zero: 'as the number of processors suggests',
    reload: false,
    text: 'Number of ingester workers. More of them verify more signatures at once.',
  },

  'storage.directory': {
    type: 'string',
    default: './data',
    format: 'directory',
    reload: false,
    text: 'Data directory with the database. A relative path starts at the directory in which the relay is started.',
  },
  'storage.synchronous': {
    type: 'enum',
    values: ['full', 'normal'],
    default: 'full',
    reload: true,
    text: 'With "full" an event that was answered with OK survives a power failure. With "normal" the newest may be lost then, though not in a crash of wok, and commits are faster.',
  },
  'storage.cache_mib': {
    type: 'integer',
    default: 64,
    min: 1,
    max: 65_536,
    unit: 'MiB',
    reload: true,
    text: 'Page cache for each thread that opens the database: the writer and every query worker.',
  },
  'storage.checkpoint_pages': {
    type: 'integer',
    default: 4000,
    min: 100,
    max: 1_000_000,
    unit: 'pages of 4096 bytes',
    zero: 'never; Litestream does it',
    reload: true,
    text: 'Length of the write-ahead log at which it is copied back into the database file (checkpoint). Set 0 only for Litestream, which does the checkpoints itself.',
  },

  'query.workers': {
    type: 'integer',
    default: 0,
    min: 1,
    max: 256,
    unit: 'threads',
    zero: 'as the number of processors suggests',
    reload: false,
    text: 'Number of query workers: how many queries run at once.',
  },
  'query.cache_bytes': {
    type: 'integer',
    default: 32 * MIB,
    min: 64 * KIB,
    max: 1024 * MIB,
    zero: 'no memory; everything is read from the database',
    unit: 'bytes',
    reload: false,
    text: 'Memory for stored events in each query worker; cached index lists take up to half as much more.',
  },
  'query.eose_hints': {
    type: 'enum',
    default: 'off',
    values: ['off', 'more', 'all'],
    reload: true,
    text: 'Whether EOSE has a third element (NIP-67) that tells if there are more stored events: "more" where a limit of this relay cut the answer, "all" also "finish" where it is complete. Several client libraries drop an EOSE with a third element, and wait forever (docs/clients.md).',
  },

  'negentropy.enabled': {
    type: 'boolean',
    default: true,
    reload: false,
    text: 'Whether clients and other relays may compare their events with those of this relay (NIP-77). It keeps the ids of all events in memory, 45 bytes each.',
  },
  'negentropy.items_max': {
    type: 'integer',
    default: 1_000_000,
    min: 1,
    max: 100_000_000,
    unit: 'events',
    reload: true,
    text: 'Number of events that a session with other conditions than since and until may have. A NEG-OPEN whose filter matches more is refused; the client may narrow it.',
  },
  'negentropy.filters': {
    type: 'string[]',
    default: [],
    format: 'tree_filter',
    reload: true,
    text: 'Filters that are often compared, at most 16: the ids of their events are kept in memory, 45 bytes each, so that a session with one of them, with or without since and until, begins at once and has no limit of events. Without conditions they always are. wok negentropy shows them, and adds others.',
  },
  'negentropy.memory_bytes_max': {
    type: 'integer',
    default: 96 * MIB,
    min: MIB,
    max: 64 * 1024 * MIB,
    unit: 'bytes',
    reload: true,
    text: 'Memory of all sessions, 41 bytes an event. One address may hold as much as is still free.',
  },
  'negentropy.sessions_max': {
    type: 'integer',
    default: 50,
    min: 1,
    max: 10_000,
    unit: 'sessions',
    reload: true,
    text: 'Number of open sessions on a connection.',
  },
  'negentropy.frame_bytes_max': {
    type: 'integer',
    default: 64 * KIB,
    min: 4 * KIB,
    max: 16 * MIB,
    unit: 'bytes',
    reload: true,
    text: 'Size of the answers of this relay, before they are encoded as hex, which doubles it. Larger ones need fewer rounds.',
  },
  'negentropy.ranges_max': {
    type: 'integer',
    default: 10_000,
    min: 16,
    max: 1_000_000,
    unit: 'ranges',
    reload: true,
    text: 'Number of ranges in a message of a client; honest ones send several thousand.',
  },

  'metrics.enabled': {
    type: 'boolean',
    default: true,
    reload: false,
    text: 'Serve the metrics at http://HOST:PORT/metrics. They are counted in any case.',
  },
  'metrics.host': {
    type: 'string',
    default: '127.0.0.1',
    format: 'host',
    reload: false,
    text: 'Address that serves the metrics. There is no authentication.',
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
    text: 'A query that used more working time than this, waiting not counted, is slow: it is counted, and wok slow shows it without the values of its filters.',
  },

  'log.level': {
    type: 'enum',
    values: ['debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    reload: true,
    text: 'Log lines below this level are left out.',
  },
  'log.levels': {
    type: 'string[]',
    default: [],
    format: 'station_level',
    reload: true,
    text: 'Levels for parts of the relay (stations), like ["query=debug", "io=warn"], instead of log.level. Lines of the main process count as io.',
  },
  'log.format': {
    type: 'enum',
    values: ['json', 'text', 'journal'],
    default: 'text',
    reload: true,
    text: '"text" is readable, "json" has one object per line for log collectors. In the journal both get a priority prefix (<6>). "journal": text that always has it.',
  },
  'log.ip': {
    type: 'enum',
    values: ['off', 'hashed', 'on'],
    default: 'off',
    reload: true,
    text: 'Whether lines about connections have the address of the client, or a hash of it that is the same for one address until the next start. The log has no other private data.',
  },

  'shutdown.deadline_seconds': {
    type: 'integer',
    default: 10,
    min: 1,
    max: 600,
    unit: 'seconds',
    reload: true,
    text: 'How long a shutdown may take: clients are told, received events are stored, then the process exits. TimeoutStopSec of systemd must be longer (the unit has 30).',
  },
} as const satisfies Record<`${SectionName}.${string}`, Option>;

/** Name of an option, `section.name`. */
export type OptionKey = keyof typeof options;

/** Name of an option or a constant. */
export type SettingKey = OptionKey | ConstantKey;

/**
 * Complete configuration, of options and constants: `config.io.port` is the value of the row
 * `io.port`. `peers` are the entries [[peers]]. Frozen.
 */
export type Config = ConfigOf<typeof options & typeof constants> & {
  readonly peers: readonly PeerEntry[];
};

/** Names of all options in the order of the table. */
export const optionKeys = Object.keys(options) as readonly OptionKey[];

const settingKeys: readonly SettingKey[] = [...optionKeys, ...constantKeys];

/** Returns one row of the table, as the general type. */
export function optionOf(key: OptionKey): Option {
  return options[key];
}

/** Returns the row of an option or a constant. */
export function settingOf(key: SettingKey): Constant {
  return isOptionKey(key) ? options[key] : constants[key];
}

/** Section of options or of constants. */
type ConfigSection = Exclude<keyof Config, 'peers'>;

/** Splits `io.port` into `['io', 'port']`. */
export function splitKey(key: OptionKey): [section: SectionName, name: string];
export function splitKey(key: SettingKey): [section: ConfigSection, name: string];
export function splitKey(key: SettingKey): [section: ConfigSection, name: string] {
  const dot = key.indexOf('.');
  return [key.slice(0, dot) as ConfigSection, key.slice(dot + 1)];
}

/** Returns true if a text is the name of an option. */
export function isOptionKey(text: string): text is OptionKey {
  return Object.hasOwn(options, text);
}

/** Returns one value of a configuration by the name of its option or constant. */
export function configValue(config: Config, key: SettingKey): OptionValue {
  const [section, name] = splitKey(key);
  return (config[section] as Readonly<Record<string, OptionValue>>)[name]!;
}

/**
 * Builds a frozen configuration of checked values; missing ones get the default. The limit of the
 * content is lowered to what fits into an event, so that operators need to set one of the two only.
 */
export function buildConfig(
  values: ReadonlyMap<SettingKey, OptionValue>,
  peers: readonly PeerEntry[] = [],
): Config {
  const config: Record<string, Record<string, OptionValue>> = {};
  for (const key of settingKeys) {
    const [section, name] = splitKey(key);
    const value = values.get(key) ?? settingOf(key).default;
    config[section] ??= {};
    config[section][name] = typeof value === 'object' ? Object.freeze([...value]) : value;
  }
  const limits = config.limits as { content_length_max: number; event_bytes_max: number };
  const room = limits.event_bytes_max - EVENT_FRAME_BYTES;
  limits.content_length_max = Math.min(limits.content_length_max, room);
  for (const section of Object.values(config)) Object.freeze(section);
  return Object.freeze({ ...config, peers: Object.freeze([...peers]) }) as unknown as Config;
}

/** Built-in defaults; `storage.directory` is still relative. */
export const defaultConfig: Config = buildConfig(new Map());
