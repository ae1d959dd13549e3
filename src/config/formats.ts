// Text formats that options may name, each with its check and its normal form.

import ipaddr from 'ipaddr.js';
import { compileRe2 } from '../lib/re2.ts';
import { parseConditions, parseFilters } from '../protocol/filter-text.ts';
import { kindRange } from '../protocol/kind-range.ts';
import { isKindNumber, kindValue } from '../protocol/kind-values.ts';
import { parsePubkey } from '../protocol/nip19.ts';
import { PLUGIN_ENTRY_MUST, parsePluginEntry } from './plugin-entry.ts';
import { parseRate } from './rate.ts';
import { retentionRule } from './retention-rule.ts';
import { SPAM_POINTS_MUST, spamPointsEntry } from './spam-points.ts';

/** Text format with rules of its own. */
export interface Format {
  /** Description of a valid text, to follow "must be". */
  readonly must: string;
  /** Returns the text in its normal form, or undefined if it is not of this format. */
  readonly parse: (text: string) => string | undefined;
}

const accept = (ok: (text: string) => boolean) => (text: string) => (ok(text) ? text : undefined);

/** Formats by the name that the option table uses. */
export const formats = {
  public_key: {
    must: 'a public key, as 64 hex characters or npub1…, or empty',
    parse: (text) => (text === '' ? text : parsePubkey(text)),
  },
  web_address: {
    must: 'an address that starts with https:// or http://, or empty',
    parse: accept((text) => text === '' || (/^https?:\/\//i.test(text) && URL.canParse(text))),
  },
  relay_url: {
    must: 'an address that starts with wss:// or ws://',
    parse: accept((text) => /^wss?:\/\//i.test(text) && URL.canParse(text)),
  },
  nostr_filter: {
    must: 'a Nostr filter as JSON, like \'{"kinds":[0,3]}\', or a list of them',
    parse: accept((text) => text === '' || parseFilters(text) !== undefined),
  },
  tree_filter: {
    must: 'a Nostr filter of authors, kinds or tags as JSON, like \'{"kinds":[0,3]}\', without ids, since, until and limit',
    parse: accept((text) => parseConditions(text) !== undefined),
  },
  peer_name: {
    must: 'a name of at most 64 letters, digits and . _ : - without spaces',
    parse: accept((text) => /^[\w.:-]{0,64}$/.test(text)),
  },
  socks_proxy: {
    must: 'the address of a SOCKS proxy, like socks5h://127.0.0.1:9050, or empty',
    parse: accept((text) => text === '' || /^socks(?:4a?|5h?)?:\/\/[^/\s]+\/?$/.test(text)),
  },
  origin: {
    must: 'an origin like https://client.example, without a path',
    parse: (text) => {
      if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+\/?$/i.test(text)) return undefined;
      return text.toLowerCase().replace(/\/$/, '');
    },
  },
  header: {
    must: 'the name of an HTTP header, like x-forwarded-for',
    parse: (text) => (/^[A-Za-z0-9-]+$/.test(text) ? text.toLowerCase() : undefined),
  },
  host: {
    must: 'an IP address or a host name, without a port',
    parse: accept(isHost),
  },
  domain: {
    must: 'a domain, like example.com',
    parse: accept(isHost),
  },
  network: {
    must: 'an IP address or a network like 10.0.0.0/8 or fd00::/8',
    parse: accept(isNetwork),
  },
  station_level: {
    must: 'a station and a level, like "query=debug"; the stations are io, ingester, writer, query, monitor, sync, plugins, peers and admin, the levels debug, info, warn, error and silent',
    parse: accept((text) =>
      /^(io|ingester|writer|query|monitor|sync|plugins|peers|admin)=(debug|info|warn|error|silent)$/.test(
        text,
      ),
    ),
  },
  kinds: {
    must: 'a kind from 0 to 65535 or a range like 20000-29999',
    parse: accept((text) => kindRange(text) !== undefined),
  },
  kind_numbers: {
    must: 'kinds and a whole number, like "1=280", "20000-29999=60" or "7=64"; the classes are regular, replaceable, ephemeral, addressable',
    parse: accept((text) => isKindNumber(text, 1e12)),
  },
  kind_bits: {
    must: 'kinds and a number of bits from 0 to 256, like "1059=20" or "20000-29999=8"',
    parse: accept((text) => isKindNumber(text, 256)),
  },
  rate: {
    must: 'a rate like "20/s burst 500", "10/h" or "1MiB/s burst 64MiB", or empty',
    parse: accept((text) => text === '' || parseRate(text) !== undefined),
  },
  kind_rates: {
    must: 'kinds and a rate, like "0=10/h", "ephemeral=20/s burst 200" or "1059=none"',
    parse: accept((text) => {
      const value = kindValue(text)?.value;
      return value === 'none' || (value !== undefined && parseRate(value) !== undefined);
    }),
  },
  file: {
    must: 'the path of a file',
    parse: accept((text) => text !== '' && !text.includes('\0')),
  },
  retention_age: {
    must: 'kinds, optionally with @members or @others, and a time, like "7=30d", "regular=1y" or "1@members=10y"',
    parse: accept((text) => retentionRule(text, 'age') !== undefined),
  },
  retention_count: {
    must: 'kinds, optionally with @members or @others, and a number of events, like "7=1000" or "30078@members=100"',
    parse: accept((text) => retentionRule(text, 'count') !== undefined),
  },
  spam_points: {
    must: SPAM_POINTS_MUST,
    parse: accept((text) => spamPointsEntry(text) !== undefined),
  },
  kind_tags: {
    must: 'kinds and the name of a tag, like "30023=title" or "addressable=d"',
    parse: accept((text) => kindValue(text) !== undefined),
  },
  pattern: {
    must: 'a regular expression as RE2 understands it (no look-around, no back references)',
    parse: accept(isPattern),
  },
  tag_pattern: {
    must: 'the name of a tag and a regular expression as RE2 understands it, like "t=(?i)^nsfw$"',
    parse: accept((text) => /^[^=]+=./s.test(text) && isPattern(text.slice(text.indexOf('=') + 1))),
  },
  known_key: {
    must: 'a public key, as 64 hex characters or npub1…',
    parse: parsePubkey,
  },
  plugin: {
    must: PLUGIN_ENTRY_MUST,
    parse: accept((text) => parsePluginEntry(text) !== undefined),
  },
  websocket_path: {
    must: 'a path that starts with a slash and contains only letters, digits and / . _ ~ -',
    parse: accept((text) => /^\/[A-Za-z0-9/._~-]*$/.test(text)),
  },
  absolute_file: {
    must: 'the absolute path of a file, or empty',
    parse: accept((text) => text === '' || (text.startsWith('/') && !text.includes('\0'))),
  },
  directory: {
    must: 'the path of a directory',
    parse: accept((text) => text !== '' && !text.includes('\0')),
  },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;

/** Returns true if a text looks like a secret key (NIP-19), never to be shown or logged. */
export function isSecretKey(text: string): boolean {
  return /^nsec1/i.test(text.trim());
}

function isPattern(text: string): boolean {
  try {
    compileRe2(text);
    return true;
  } catch {
    return false;
  }
}

/** Returns true for an IP address or a host name, without a port. */
function isHost(text: string): boolean {
  return text.includes(':') ? ipaddr.IPv6.isValid(text) : isHostName(text);
}

function isHostName(text: string): boolean {
  if (/^[0-9.]+$/.test(text)) return ipaddr.IPv4.isValidFourPartDecimal(text);
  return /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text);
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  if (rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return false;
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return Number(bits ?? 32) <= 32;
  return address.includes(':') && ipaddr.IPv6.isValid(address) && Number(bits ?? 128) <= 128;
}
