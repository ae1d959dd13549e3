// Rules for every key of the config.toml of nostr-rs-relay.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { administrator, clientAddressHeader, nip05Mode, nip05Times } from '../common-rules.ts';
import { kindItems } from '../kind-items.ts';
import {
  act,
  note,
  option,
  type Rule,
  type Rules,
  secret,
  type Translator,
  text,
  when,
} from '../translation.ts';

const POOL = note('wok chooses its threads by the number of processors (query.workers).');
const BUFFER = note('the queues of wok have bounds of their own (docs/architecture.md).');
const LOGGING = act(
  'wok logs to standard output; systemd keeps it in the journal (journalctl -u wok).',
);
const POSTGRES = note('the database of wok needs no connection (storage.directory).');
const NOT_THERE = note('nostr-rs-relay does not do this yet. wok can: see [retention].');

/** Rule for the keys of a payment service, which matter only where payments are on. */
function payment(reason: string): Rule {
  return when(
    (_, into) => into.other('pay_to_relay.enabled') === true,
    act(reason),
    note('it has no effect while pay_to_relay.enabled is false.'),
  );
}

/** Rules by key of config.toml. */
export const nostrRsRelayRules: Rules = {
  'info.relay_url': option('identity.urls', (url: string) => [url]),
  'info.name': text('info.name'),
  'info.description': text('info.description'),
  'info.pubkey': administrator,
  'info.contact': text('info.contact'),
  'info.favicon': favicon,
  'info.relay_icon': text('info.icon'),
  'info.relay_page': act(
    'wok makes its page at / from the configuration ([pages]). To keep yours, serve it by the reverse proxy at another path, or set pages.home = false.',
  ),
  'diagnostics.tracing': note('see wok top, and [metrics].'),

  'database.engine': note('wok has an SQLite database of its own (storage.directory).'),
  'database.data_directory': note(
    'the events were read from there. wok has a database of its own (storage.directory).',
  ),
  'database.in_memory': when(
    (value) => value === true,
    act('wok keeps its events on the disk. There is no database to move either.'),
    note('wok keeps its events on the disk, too.'),
  ),
  'database.min_conn': POOL,
  'database.max_conn': POOL,
  'database.connection': secret(POSTGRES),
  'database.connection_write': secret(POSTGRES),

  'logging.folder_path': LOGGING,
  'logging.file_prefix': LOGGING,

  'grpc.event_admission_server': act(
    'wok asks plugins, not gRPC servers: write a small program that asks your server (docs/plugins.md). nostr-rs-relay accepts events while the server is away; fail=open does the same.',
  ),
  'grpc.restricts_write': note('wok computes the relay information document.'),

  'network.address': option('io.host'),
  'network.port': option('io.port'),
  'network.remote_ip_header': clientAddressHeader,
  'network.ping_interval': note('wok sends pings by itself; see io.idle_timeout_seconds.'),
  'network.ping_interval_seconds': note('wok sends pings by itself; see io.idle_timeout_seconds.'),

  'options.reject_future_seconds': option('limits.created_at_future_seconds_max'),

  'limits.messages_per_sec': when(
    (value) => value === 0,
    note('there is no limit.'),
    act(
      'it is a limit for all clients together. wok limits each address and author: rates.ip_events, rates.pubkey_events.',
    ),
  ),
  'limits.subscriptions_per_min': when(
    (value) => value === 0,
    note('there is no limit.'),
    act(
      'nostr-rs-relay delays what is beyond it, wok refuses it, so the number was not carried over. See rates.ip_subscriptions.',
    ),
  ),
  'limits.db_conns_per_client': note(
    'nostr-rs-relay does not do this. wok shares its time by address.',
  ),
  'limits.max_blocking_threads': POOL,
  'limits.max_event_bytes': option('limits.event_bytes_max', unlimitedBytes),
  'limits.max_ws_message_bytes': option('limits.message_bytes_max', unlimitedBytes),
  'limits.max_ws_frame_bytes': note('wok limits whole messages: limits.message_bytes_max.'),
  'limits.broadcast_buffer': BUFFER,
  'limits.event_persist_buffer': BUFFER,
  'limits.event_kind_blacklist': (value, into) => {
    into.add('policy.kinds_denied', kindItems(value, into));
  },
  'limits.event_kind_allowlist': (value, into) => {
    const kinds = kindItems(value, into);
    if (kinds.length === 0) {
      into.act(
        'the list has no kind, so nostr-rs-relay accepts no event. An empty list in wok accepts all kinds.',
      );
    } else into.add('policy.kinds_allowed', kinds);
  },
  'limits.limit_scrapers': when(
    (value) => value === true,
    act(
      'wok answers wide filters and charges what they read to the address (rates.ip_work, rates.ip_sent). A policy module can refuse them: acceptFilter, docs/plugins.md.',
    ),
    note('it is off.'),
  ),

  'authorization.pubkey_whitelist': (value, into) => {
    if (Array.isArray(value) && value.length > 0) into.set('policy.pubkeys_allowed', value);
    else {
      into.act(
        'the list is empty, so nostr-rs-relay accepts no event. An empty list in wok allows all keys.',
      );
    }
  },
  'authorization.nip42_auth': note('wok always offers NIP-42; auth.required says what for.'),
  'authorization.nip42_dms': when(
    (value) => value === true,
    option('auth.private_kinds', () => ['4', '44', '1059']),
    act(
      'wok sends private messages to their author and recipients only. To send them to all clients as before set auth.private_kinds = [].',
    ),
  ),

  'verified_users.mode': nip05Mode,
  'verified_users.domain_blacklist': option('nip05.domains_denied'),
  'verified_users.domain_whitelist': option('nip05.domains_allowed'),
  'verified_users.verify_expiration': nip05Times,
  'verified_users.verify_update_frequency': nip05Times,
  'verified_users.max_consecutive_failures': nip05Times,

  'pay_to_relay.enabled': when(
    (value) => value === true,
    act(
      'wok takes no payments itself. The keys that have paid until now go into a file that admission.files names; let your payment service write the file, and set admission.payments_url to its address.',
    ),
    note('it is off.'),
  ),
  'pay_to_relay.processor': payment('wok takes no payments itself; see docs/policy.md.'),
  'pay_to_relay.admission_cost': when(
    (_, into) => into.other('pay_to_relay.enabled') === true,
    option('admission.fee_msats', (sats: number) => sats * 1000),
    note('it has no effect while pay_to_relay.enabled is false.'),
  ),
  'pay_to_relay.cost_per_event': when(
    (value) => value === 0,
    note('events cost nothing, as in wok.'),
    payment('wok has no price for an event.'),
  ),
  'pay_to_relay.node_url': payment('wok takes no payments itself.'),
  'pay_to_relay.api_secret': secret(payment('wok takes no payments itself.')),
  'pay_to_relay.rune_path': payment('wok takes no payments itself.'),
  'pay_to_relay.direct_message': payment('wok sends no messages about payments.'),
  'pay_to_relay.terms_message': payment(
    'put the terms on a web page and name it in info.terms_of_service.',
  ),
  'pay_to_relay.sign_ups': payment('whether new keys may pay is up to your payment service.'),
  'pay_to_relay.secret_key': secret(payment('wok sends no messages about payments.')),

  'retention.max_events': NOT_THERE,
  'retention.max_bytes': NOT_THERE,
  'retention.persist_days': NOT_THERE,
  'retention.whitelist_addresses': NOT_THERE,
};

/** Returns a number of bytes; 0 is no limit there, which wok has not. */
function unlimitedBytes(bytes: number): number {
  return bytes === 0 ? Number.MAX_SAFE_INTEGER : bytes;
}

function favicon(value: unknown, into: Translator): void {
  const file = resolve(into.directory, String(value));
  if (existsSync(file)) into.set('pages.icon_file', file);
  else into.act(`there is no file ${file}; set pages.icon_file to the icon.`);
}
