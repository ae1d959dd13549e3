// Entries [[peers]] of a configuration, each with other relays that events are exchanged with:
// their fields, and the relays that they name.

import type { Constant, FieldsOf } from './option-types.ts';

const DAY_SECONDS = 86_400;
/** Number of relays in all entries: each has cells of its own in the metrics. */
export const PEERS_MAX = 64;

/** Text above the entries in relay.conf. */
export const PEERS_TEXT =
  'Other relays that events are exchanged with while this one runs: one [[peers]] for each group of relays with the same settings. Changes apply live. docs/mirroring.md explains them.';

/** Fields of an entry, in the order of relay.conf. */
export const peerFields = {
  urls: {
    type: 'string[]',
    default: [],
    format: 'relay_url',
    text: 'Addresses of the other relays. All of them get the same settings. May be left out with relay_lists.',
  },
  relay_lists: {
    type: 'integer',
    default: 0,
    min: 1,
    max: 32,
    unit: 'relays',
    zero: 'none',
    text: 'Number of relays to be found by the relay lists (NIP-65) of the authors of the filter, as far as they are stored here: those that most of them write to. Their events are fetched from there. With dir = "down" only.',
  },
  name: {
    type: 'string',
    default: '',
    format: 'peer_name',
    text: 'Name in the log, in the metrics and on /admin; empty: the host of the address.',
  },
  dir: {
    type: 'enum',
    default: 'down',
    values: ['down', 'up', 'both'],
    text: 'Direction of the events: "down" fetches them, "up" sends own events, "both" does both.',
  },
  filter: {
    type: 'string',
    default: '',
    format: 'nostr_filter',
    text: 'Nostr filter as JSON, like \'{"authors":["…"]}\', or a list of filters; empty: all events that are not private.',
  },
  kinds: {
    type: 'string[]',
    default: [],
    format: 'kinds',
    text: 'Kinds that are exchanged; an empty list: all of the filter.',
  },
  plugin_down: {
    type: 'string',
    default: '',
    text: 'Command of a plugin that decides which of the fetched events are offered to this relay, as in plugins.commands, whose rules apply afterwards.',
  },
  plugin_up: {
    type: 'string',
    default: '',
    text: 'Command of a plugin that decides which own events are sent.',
  },
  repair: {
    type: 'boolean',
    default: true,
    text: 'Compare the events of both relays (NIP-77) after each connection, and transfer what was missed.',
  },
  repair_seconds: {
    type: 'integer',
    default: DAY_SECONDS,
    min: 60,
    max: 366 * DAY_SECONDS,
    unit: 'seconds',
    zero: 'never',
    text: 'Interval of comparisons of all events.',
  },
  events_down: {
    type: 'string',
    default: '',
    format: 'rate',
    text: 'Events that are taken from each of the relays, like "500/s"; beyond that they wait there.',
  },
  events_up: {
    type: 'string',
    default: '',
    format: 'rate',
    text: 'Events that are sent to each of them.',
  },
  bytes_down: {
    type: 'string',
    default: '',
    format: 'rate',
    text: 'Bytes of the events that are taken from each of them, like "1MiB/s" or "2000MiB/day".',
  },
  bytes_up: {
    type: 'string',
    default: '',
    format: 'rate',
    text: 'Bytes of the events that are sent to each of them.',
  },
  key_file: {
    type: 'string',
    default: '',
    format: 'absolute_file',
    text: 'File with the secret key that authenticates to the relays (NIP-42), as nsec1… or 64 hex characters; empty: none does.',
  },
  proxy: {
    type: 'string',
    default: '',
    format: 'socks_proxy',
    text: 'SOCKS proxy for the connections, like "socks5h://127.0.0.1:9050" for Tor.',
  },
  timeout_seconds: {
    type: 'integer',
    default: 30,
    min: 1,
    max: 3600,
    unit: 'seconds',
    text: 'Time in which a relay has to answer.',
  },
} as const satisfies Record<string, Constant & { readonly text: string }>;

export type FieldName = keyof typeof peerFields;

/** Checked entry, complete with defaults. */
export type PeerEntry = FieldsOf<typeof peerFields>;

/** Relay of an entry. */
export interface NamedPeer {
  /** Name of the relay, different from that of every other one. */
  readonly name: string;
  readonly url: string;
  readonly entry: PeerEntry;
}

/** Returns the relays that all entries name, with their names. */
export function peersIn(entries: readonly PeerEntry[]): NamedPeer[] {
  return entries.flatMap((entry) =>
    entry.urls.map((url) => {
      const own = entry.name || new URL(url).host;
      const name = entry.name === '' || entry.urls.length === 1 ? own : `${own} ${url}`;
      return { name, url, entry };
    }),
  );
}
