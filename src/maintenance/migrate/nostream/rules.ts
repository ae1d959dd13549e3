// Rules for every key of nostream: of settings.yaml, and of the variables of its environment as far
// as a `.env` file beside it has them.

import {
  administrator,
  clientAddressHeader,
  messageBytes,
  nip05Mode,
  nip05Times,
} from '../common-rules.ts';
import { kindItems } from '../kind-items.ts';
import { peersBlock } from '../peers.ts';
import {
  act,
  all,
  isTree,
  note,
  option,
  type Rule,
  type Rules,
  secret,
  type Translator,
  text,
  when,
} from '../translation.ts';
import { bucketOf, exemptItems, kindBuckets } from './rates.ts';

const OFF = note('it is off.');

/** Rule for keys that matter only where a switch of nostream is on. */
function ifOn(key: string, yes: Rule): Rule {
  return when(
    (_, into) => into.other(key) === true,
    yes,
    note(`it has no effect while ${key} is false.`),
  );
}

/** Rule that carries a value over unless it is empty or the placeholder of the shipped file. */
function given(rule: Rule): Rule {
  return when(
    (value) => value === '' || value === null || /^replace-with-/.test(String(value)),
    note('it has no value.'),
    rule,
  );
}

/** Rule for numbers of which 0 switches the limit off. */
function unlessZero(reason: string): Rule {
  return when((value) => Number(value) <= 0, OFF, act(reason));
}

const PAYMENTS = ifOn(
  'payments.enabled',
  act('wok takes no payments itself: let your payment service write the file in admission.files.'),
);
const NO_PAYMENTS = note('wok takes no payments itself, so it has no such requests.');
const ADMIN = note('the page /admin of wok has no password: keys log in (admin.pubkeys).');
const MONITOR = note('wok does not publish measurements of other relays (NIP-66).');
const REDIS = note('wok needs no Redis.');
const DATABASE = note(
  'the events were read from there. wok has a database of its own (storage.directory).',
);
const TOR = act('let Tor forward its onion service to io.port; see rates.exempt for its clients.');
const EXEMPT: Rule = (value, into) => {
  into.add('rates.exempt', ['127.0.0.0/8', '::1', ...exemptItems(value)]);
  into.note('rates.exempt is for all rates of an address; nostream has a list for each of them.');
};

/** Rules by key of settings.yaml; those of the environment begin with `env.`. */
export const nostreamRules: Rules = {
  'info.relay_url': given(option('identity.urls', (url: string) => [url])),
  'info.name': text('info.name'),
  'info.description': text('info.description'),
  'info.banner': given(text('info.banner')),
  'info.icon': given(text('info.icon')),
  'info.pubkey': given(administrator),
  'info.self': given(
    act(
      'wok shows the public key of its own secret key. To keep this one, put its secret key (RELAY_PRIVATE_KEY) into a file and name it in identity.secret_key_file.',
    ),
  ),
  'info.contact': text('info.contact'),
  'info.terms_of_service': given(text('info.terms_of_service')),

  'payments.enabled': when(
    (value) => value === true,
    act(
      'wok takes no payments itself. The keys that have paid until now go into a file that admission.files names; let your payment service write the file, and set admission.payments_url to its address.',
    ),
    OFF,
  ),
  'payments.processor': PAYMENTS,
  'payments.feeSchedules.admission': admissionFees,
  'payments.feeSchedules.*': PAYMENTS,
  'paymentsProcessors.*': PAYMENTS,

  'nip05.mode': nip05Mode,
  'nip05.verifyExpiration': nip05Times,
  'nip05.verifyUpdateFrequency': nip05Times,
  'nip05.maxConsecutiveFailures': nip05Times,
  'nip05.domainWhitelist': option('nip05.domains_allowed'),
  'nip05.domainBlacklist': option('nip05.domains_denied'),

  'nip42.authRequired': option('auth.required', (isRequired: boolean) =>
    isRequired ? 'write' : 'none',
  ),
  'nip42.sessionExpirySeconds': note('in wok an authentication lasts as long as its connection.'),
  'nip42.restrictedReads.enabled': when(
    (value) => value === true,
    note('its kinds are in auth.private_kinds.'),
    note(
      'wok sends private messages to their author and recipients only; auth.private_kinds = [] makes them public.',
    ),
  ),
  'nip42.restrictedReads.kinds': ifOn('nip42.restrictedReads.enabled', (value, into) => {
    into.add('auth.private_kinds', kindItems(value, into));
  }),

  'nip43.enabled': option('membership.enabled'),
  'nip43.inviteCodeExpirySeconds': note('an invite of wok has its own end: wok invite --help.'),
  'nip43.defaultMaxUses': note('an invite of wok has its own number of uses: wok invite --help.'),
  'nip43.allowInviteRequests': ifOn('nip43.enabled', option('membership.members_invite')),
  'nip45.enabled': when(
    (value) => value === false,
    act('COUNT cannot be switched off in wok; its cost is bounded by rates.ip_work.'),
    note('wok supports COUNT.'),
  ),
  'nip50.enabled': when(
    (value) => value === true,
    act('wok does not support search (NIP-50).'),
    note('it is off, as wok does not support search (NIP-50).'),
  ),
  'nip50.*': note('wok does not support search (NIP-50).'),
  'nip66.*': MONITOR,
  'wot.enabled': when((value) => value === true, note('see [trust].'), OFF),
  'wot.seedPubkey': ifOn('wot.enabled', given(option('trust.roots', (key: string) => [key]))),
  'wot.minimumFollowers': ifOn('wot.enabled', option('trust.followers_min')),
  'wot.refreshIntervalHours': note('wok follows the stored follow lists by itself.'),

  'network.maxPayloadSize': messageBytes,
  'network.remoteIpHeader': given(clientAddressHeader),
  'network.remote_ip_header': given(clientAddressHeader),
  'network.trustedProxies': (value, into) => into.set('io.trusted_proxies', exemptItems(value)),
  'workers.count': note(
    'wok chooses by the number of processors (ingester.workers, query.workers).',
  ),
  'mirroring.static': mirrors,
  'dvm.workers': when(
    (value) => Array.isArray(value) && value.length > 0,
    act('wok runs no data vending machines; run them as clients of the relay.'),
    note('there are none.'),
  ),

  'limits.rateLimiter.strategy': note('wok has token buckets; see [rates].'),
  'limits.invoice.*': NO_PAYMENTS,
  'limits.admissionCheck.*': NO_PAYMENTS,
  'limits.admin.*': note('wok limits requests to /admin by itself.'),
  'limits.connection.rateLimits': (value, into) => setBucket('rates.ip_connections', value, into),
  'limits.connection.ipWhitelist': EXEMPT,
  'limits.message.rateLimits': (value, into) => setBucket('rates.ip_messages', value, into),
  'limits.message.ipWhitelist': EXEMPT,

  'limits.event.retention.maxDays': when(
    (value) => Number(value) < 0,
    note('events are kept for ever, as in wok.'),
    (value, into) => {
      into.add('retention.age', [`0-65535=${Math.max(Number(value), 1)}d`]);
      into.act(
        'nostream goes by the arrival of an event, wok by its created_at. Look before the first start: wok mod retention preview.',
      );
    },
  ),
  'limits.event.retention.kind.whitelist': (value, into) => {
    const kinds = kindItems(value, into);
    if (kinds.length === 0 || Number(into.other('limits.event.retention.maxDays')) < 0) {
      into.note('no kind is kept longer than others.');
    } else
      into.add(
        'retention.age',
        kinds.map((kind) => `${kind}=100y`),
      );
  },
  'limits.event.retention.pubkey.whitelist': option('retention.pubkeys_protected'),
  'limits.event.eventId.minLeadingZeroBits': option('policy.pow_min'),
  'limits.event.kind.whitelist': (value, into) => {
    into.add('policy.kinds_allowed', kindItems(value, into));
  },
  'limits.event.kind.blacklist': (value, into) => {
    into.add('policy.kinds_denied', kindItems(value, into));
  },
  'limits.event.pubkey.minBalance': unlessZero('wok keeps no balances.'),
  'limits.event.pubkey.minLeadingZeroBits': unlessZero(
    'wok asks for proof of work of events, not of keys: policy.pow_min.',
  ),
  'limits.event.pubkey.whitelist': option('policy.pubkeys_allowed'),
  'limits.event.pubkey.blacklist': option('policy.pubkeys_denied'),
  'limits.event.createdAt.maxPositiveDelta': option('limits.created_at_future_seconds_max'),
  'limits.event.createdAt.maxNegativeDelta': option('limits.created_at_past_seconds_max'),
  'limits.event.content': contentLimits,
  'limits.event.rateLimits': eventRates,
  'limits.event.whitelists.pubkeys': when(
    (value) => Array.isArray(value) && value.length > 0,
    act('wok exempts no keys from rates. Give their addresses: rates.exempt.'),
    note('there are none.'),
  ),
  'limits.event.whitelists.ipAddresses': EXEMPT,

  'limits.client.subscription.maxSubscriptions': option('limits.subscriptions_max'),
  'limits.client.subscription.maxFilters': option('limits.filters_max'),
  'limits.client.subscription.maxFilterValues': note(
    'wok bounds the memory of filters: limits.subscription_bytes_max.',
  ),
  'limits.client.subscription.maxSubscriptionIdLength': note('NIP-01 allows 64 characters.'),
  'limits.client.subscription.maxLimit': option('limits.limit_max'),
  'limits.client.subscription.minPrefixLength': note('filters have no prefixes any more (NIP-01).'),

  'admin.enabled': note('the page /admin of wok is on by default (pages.admin).'),
  'admin.sessionTtlSeconds': ADMIN,
  'admin.nip98.enabled': note('wok always offers login by key.'),
  'admin.nip98.allowedPubkeys': option('admin.pubkeys'),
  'admin.nip98.maxSkewSeconds': note('wok accepts a login of the last minute.'),
  'admin.*': ADMIN,

  'env.RELAY_PORT': all(
    option('io.port', Number),
    note('nostream listens on all addresses of its container, wok on io.host.'),
  ),
  'env.RELAY_PRIVATE_KEY': secret(
    act(
      'to keep the public key of the relay (self), put this key into a file of the user of wok and name the file in identity.secret_key_file.',
    ),
  ),
  'env.SECRET': secret(note('wok has no such secret.')),
  'env.MONITOR_PRIVATE_KEY': secret(MONITOR),
  'env.WORKER_COUNT': note('wok chooses by the number of processors.'),
  'env.NOSTR_CONFIG_DIR': note('wok reads relay.conf.'),
  'env.DB_URI': secret(DATABASE),
  'env.DB_HOST': DATABASE,
  'env.DB_PORT': DATABASE,
  'env.DB_USER': DATABASE,
  'env.DB_NAME': DATABASE,
  'env.DB_PASSWORD': secret(DATABASE),
  'env.DB_MIN_POOL_SIZE': DATABASE,
  'env.DB_MAX_POOL_SIZE': DATABASE,
  'env.DB_ACQUIRE_CONNECTION_TIMEOUT': DATABASE,
  'env.PROMETHEUS_URL': note('wok serves metrics at metrics.host and metrics.port.'),
  'env.GRAFANA_URL': note('a dashboard for Grafana is in deploy/grafana.'),
};

/** Returns the rule for the variables of the environment that are named by a beginning only. */
export function environmentRule(name: string): Rule | undefined {
  if (/^READ_REPLICA|^RR\d*_/.test(name)) return secret(note('wok needs no second database.'));
  if (name.startsWith('REDIS_')) return secret(REDIS);
  if (/^TOR_|^HIDDEN_SERVICE_/.test(name)) return secret(TOR);
  if (/_API_KEY$|_SECRET$|^(ZEBEDEE|NODELESS|OPENNODE|LNBITS|NWC)_/.test(name)) {
    return secret(PAYMENTS);
  }
  return undefined;
}

function setBucket(
  key: 'rates.ip_connections' | 'rates.ip_messages',
  value: unknown,
  into: Translator,
): void {
  const bucket = bucketOf(value);
  if (bucket === undefined) into.note('there is no limit.');
  else into.set(key, bucket);
}

function admissionFees(value: unknown, into: Translator): void {
  if (into.other('payments.enabled') !== true) {
    into.note('it has no effect while payments.enabled is false.');
    return;
  }
  const schedules = (Array.isArray(value) ? value : []).filter(
    (one) => isTree(one) && one.enabled === true,
  ) as Readonly<Record<string, unknown>>[];
  const [first] = schedules;
  if (first === undefined) {
    into.note('no fee is in effect.');
    return;
  }
  into.set('admission.fee_msats', Number(first.amount));
  const { pubkeys, event_kinds: kinds } = isTree(first.whitelists) ? first.whitelists : {};
  if (Array.isArray(kinds)) into.add('policy.open_kinds', kindItems(kinds, into));
  if (Array.isArray(pubkeys) && pubkeys.length > 0) into.add('policy.pubkeys_allowed', pubkeys);
  if (schedules.length > 1) into.act('wok has one fee; the first one was carried over.');
}

function mirrors(value: unknown, into: Translator): void {
  const list = (Array.isArray(value) ? value : []).filter(isTree);
  if (list.length === 0) {
    into.note('there are none.');
    return;
  }
  const streams = list.map((mirror, n) => ({
    name: `mirror${n + 1}`,
    dir: 'down' as const,
    urls: [String(mirror.address)],
    ...(Array.isArray(mirror.filters) && isTree(mirror.filters[0])
      ? { filter: mirror.filters[0] }
      : {}),
  }));
  into.blocks.push(peersBlock(streams));
  into.act('the mirrors are at the end of this file, as a file for wok router.');
}

function contentLimits(value: unknown, into: Translator): void {
  const list = (Array.isArray(value) ? value : [value]).filter(isTree);
  const items = list.flatMap(({ maxLength, kinds }) => {
    if (typeof maxLength !== 'number' || maxLength <= 0) return [];
    const ranges = kinds === undefined ? ['0-65535'] : kindItems(kinds, into);
    return ranges.map((range) => `${range}=${maxLength}`);
  });
  into.add('limits.content_length_by_kind', items);
  into.note('where entries overlap, nostream applies all of them and wok the last one.');
}

function eventRates(value: unknown, into: Translator): void {
  const { general, byKind } = kindBuckets(value, (kinds) => kindItems(kinds, into));
  if (general !== undefined) into.set('rates.pubkey_events', general);
  if (byKind.length > 0) into.add('rates.pubkey_events_by_kind', byKind);
  into.note('where limits overlap, nostream applies all of them and wok the one of the kind.');
}
