// Rules for every key of strfry.conf.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parsePluginEntry } from '../../../config/plugin-entry.ts';
import { administrator, clientAddressHeader } from '../common-rules.ts';
import { act, all, note, option, type Rules, type Translator, text, when } from '../translation.ts';

const THREADS = note('wok chooses by the number of processors (ingester.workers, query.workers).');
const DUMPS = when(
  isOn,
  act('use log.level = "debug", or log.levels for one station. Messages are never logged whole.'),
  note('wok does not log messages either.'),
);
const whenValidating = (reason: string) =>
  when(
    (value, into) => isValidating(into) && value !== '' && value !== false,
    act(
      `${reason} A policy module can check filters: acceptFilter, docs/plugins.md. [rates] bounds what a filter costs.`,
    ),
    note('it has no effect in strfry while filterValidation.enabled is false.'),
  );

/** Rules by key of strfry.conf. */
export const strfryRules: Rules = {
  db: note('the events were read from there. wok has a database of its own (storage.directory).'),
  'dbParams.maxreaders': note('it is for LMDB; wok has no such limit.'),
  'dbParams.mapsize': note('it is for LMDB; the database of wok grows as needed.'),
  'dbParams.noReadAhead': note('it is for LMDB; see storage.cache_mib.'),

  'events.maxEventSize': option('limits.event_bytes_max'),
  'events.rejectEventsNewerThanSeconds': option(
    'limits.created_at_future_seconds_max',
    (seconds: number) => Math.max(seconds, 1),
  ),
  'events.rejectEventsOlderThanSeconds': option(
    'limits.created_at_past_seconds_max',
    (seconds: number) => Math.max(seconds, 1),
  ),
  'events.rejectEphemeralEventsOlderThanSeconds': note(
    'wok refuses ephemeral events after 15 minutes.',
  ),
  'events.ephemeralEventsLifetimeSeconds': note('wok never stores ephemeral events.'),
  'events.maxNumTags': option('limits.tags_max'),
  'events.maxTagValSize': note(
    'wok indexes tag values of any length; limits.event_bytes_max applies.',
  ),

  'relay.bind': option('io.host'),
  'relay.port': option('io.port'),
  'relay.nofiles': note(
    'a service sets the limit of open files: LimitNOFILE in the unit. io.connections_max has to fit into it.',
  ),
  'relay.realIpHeader': when(
    (value) => value === '',
    note('without it wok takes X-Forwarded-For, from io.trusted_proxies only.'),
    clientAddressHeader,
  ),

  'relay.auth.enabled': when(
    isOn,
    note('wok always offers NIP-42; auth.required says what for.'),
    act(
      'wok always offers NIP-42. With auth.challenge = "demand" it is sent only when it is needed.',
    ),
  ),
  'relay.auth.serviceUrl': when(
    (value) => value === '',
    act(
      'authentication needs the public address of the relay: set identity.urls, like ["wss://relay.example"].',
    ),
    option('identity.urls', (url: string) => [url]),
  ),
  'relay.auth.restrictedReadKinds': option('auth.private_kinds', kindsOf),
  'relay.auth.restrictReadToInvolvedPubkey': when(
    isOn,
    note('wok sends private kinds to their author and recipients only, too.'),
    act(
      'wok sends the kinds in auth.private_kinds to their author and recipients only. Take a kind out of that list to make it public, or set auth.required = "read".',
    ),
  ),

  'relay.info.name': text('info.name'),
  'relay.info.description': text('info.description'),
  'relay.info.pubkey': when((value) => value === '', text('info.pubkey'), administrator),
  'relay.info.self': when(
    (value) => value === '',
    note('wok has a key of its own (relay.key in the data directory).'),
    act(
      'wok shows the public key of its own secret key. To keep this one, put its secret key into a file and name it in identity.secret_key_file.',
    ),
  ),
  'relay.info.contact': text('info.contact'),
  'relay.info.icon': text('info.icon'),
  'relay.info.banner': text('info.banner'),
  'relay.info.privacy': text('info.privacy_policy'),
  'relay.info.terms': text('info.terms_of_service'),
  'relay.info.nips': note('wok computes supported_nips from its configuration.'),

  'relay.maxWebsocketPayloadSize': option('limits.message_bytes_max'),
  'relay.maxReqFilterSize': option('limits.filters_max'),
  'relay.autoPingSeconds': note('wok sends pings by itself; see io.idle_timeout_seconds.'),
  'relay.enableTcpKeepalive': note('wok detects dead connections by pings.'),
  'relay.queryTimesliceBudgetMicroseconds': note(
    'wok shares its time between addresses by itself.',
  ),
  'relay.maxFilterLimit': all(option('limits.limit_max'), option('limits.limit_default')),
  'relay.maxTagsPerFilter': note('wok charges a query for what it reads (rates.ip_work) instead.'),
  'relay.maxFilterLimitCount': when(
    (value) => value === 0,
    act('COUNT cannot be switched off in wok; its cost is bounded by rates.ip_work.'),
    note('COUNT is exact in wok; its cost is bounded by rates.ip_work.'),
  ),
  'relay.maxSubsPerConnection': option('limits.subscriptions_max'),
  'relay.maxPendingOutboundBytes': note(
    'wok cuts off a client with 16 MiB that it has not read, and bounds all of them together.',
  ),
  'relay.writePolicy.plugin': plugin,
  'relay.writePolicy.timeoutSeconds': option(
    'plugins.timeout_milliseconds',
    (seconds: number) => seconds * 1000,
  ),
  'relay.compression.enabled': option('io.compression', (isEnabled: boolean) =>
    isEnabled ? 'sliding' : 'off',
  ),
  'relay.compression.slidingWindow': (value, into) => {
    if (into.other('relay.compression.enabled') === false) {
      into.note('it has no effect while compression is off.');
    } else into.set('io.compression', value === false ? 'shared' : 'sliding');
  },

  'relay.logging.dumpInAll': DUMPS,
  'relay.logging.dumpInEvents': DUMPS,
  'relay.logging.dumpInReqs': DUMPS,
  'relay.logging.dbScanPerf': note('see wok slow, and metrics.slow_query_milliseconds.'),
  'relay.logging.invalidEvents': note('wok why ID says why an event was refused.'),

  'relay.numThreads.ingester': THREADS,
  'relay.numThreads.reqWorker': THREADS,
  'relay.numThreads.reqMonitor': THREADS,
  'relay.numThreads.negentropy': note('wok has one thread for NIP-77.'),

  'relay.negentropy.enabled': option('negentropy.enabled'),
  'relay.negentropy.maxSyncEvents': option('negentropy.items_max'),

  'relay.filterValidation.enabled': when(
    isOn,
    act('wok has no option for it. The keys below say what can be done instead.'),
    note('it is off.'),
  ),
  'relay.filterValidation.maxFiltersPerReq': (value, into) => {
    if (!isValidating(into))
      into.note('it has no effect in strfry while filterValidation.enabled is false.');
    else into.set('limits.filters_max', value);
  },
  'relay.filterValidation.minFiltersPerReq': note('a REQ without filters is refused by wok, too.'),
  'relay.filterValidation.maxKindsPerFilter': whenValidating('wok does not limit kinds.'),
  'relay.filterValidation.allowedKinds': whenValidating('wok does not limit the kinds of filters.'),
  'relay.filterValidation.requireAuthorOrTag': whenValidating(
    'wok does not ask for authors or tags.',
  ),
};

function isOn(value: unknown): boolean {
  return value === true;
}

function isValidating(into: Translator): boolean {
  return into.other('relay.filterValidation.enabled') === true;
}

/** Returns the kinds of a text like `4, 1059`. */
function kindsOf(list: unknown): string[] {
  return String(list)
    .split(',')
    .map((kind) => kind.trim())
    .filter((kind) => kind !== '');
}

/** Carries a write policy plugin over: wok speaks the same protocol. */
function plugin(value: unknown, into: Translator): void {
  if (typeof value !== 'string' || value.trim() === '') {
    into.note('there is no plugin.');
    return;
  }
  into.add('plugins.commands', [pluginEntry(value, into.directory)]);
  into.act(
    'the plugin gets a small environment (PATH, HOME, locale, TZ): name other variables with env=. It runs as the user of wok, who has to be able to execute it. Try it: wok policy test --plugins.',
  );
  const path = resolve(into.directory, value);
  if (!value.includes(' ') && !existsSync(path)) into.act(`there is no file ${path}.`);
}

/**
 * Returns the entry of `plugins.commands` for a command of strfry: a relative path to a file that
 * exists becomes absolute.
 */
export function pluginEntry(command: string, directory: string): string {
  const trimmed = command.trim();
  const [first = '', ...rest] = trimmed.split(' ');
  const file = join(directory, first);
  const isRelative = first.includes('/') && !first.startsWith('/') && existsSync(file);
  const absolute = isRelative ? [file, ...rest].join(' ') : trimmed;
  // A command that reads like settings of an entry gets a setting in front of it.
  return parsePluginEntry(absolute)?.command === absolute ? absolute : `asks=writes -- ${absolute}`;
}
