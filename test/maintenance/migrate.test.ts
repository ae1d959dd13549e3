// Translation of the configurations of other relays: every key of theirs is carried over or
// remarked, the relay.conf that is written loads, and what it says is what theirs said.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/options.ts';
import { readKhatru } from '../../src/maintenance/migrate/khatru/config.ts';
import { khatruRules } from '../../src/maintenance/migrate/khatru/rules.ts';
import { readNostrRsRelay } from '../../src/maintenance/migrate/nostr-rs-relay/config.ts';
import { nostrRsRelayRules } from '../../src/maintenance/migrate/nostr-rs-relay/rules.ts';
import { environmentOf, readNostream } from '../../src/maintenance/migrate/nostream/config.ts';
import { bucketOf } from '../../src/maintenance/migrate/nostream/rates.ts';
import { nostreamRules } from '../../src/maintenance/migrate/nostream/rules.ts';
import { peersBlock } from '../../src/maintenance/migrate/peers.ts';
import { isFromMigrate, relayConf } from '../../src/maintenance/migrate/relay-conf.ts';
import type { Reading } from '../../src/maintenance/migrate/source.ts';
import { readStrfry } from '../../src/maintenance/migrate/strfry/config.ts';
import { readRouterFile } from '../../src/maintenance/migrate/strfry/router.ts';
import { pluginEntry, strfryRules } from '../../src/maintenance/migrate/strfry/rules.ts';
import {
  leavesOf,
  type Rules,
  type Translation,
  translate,
} from '../../src/maintenance/migrate/translation.ts';
import { packageRoot } from '../../src/paths.ts';
import { freshDirectory } from '../support/temporary.ts';

const FIXTURES = join(packageRoot, 'test/fixtures/migrate');
const KEY = '84dee6e676e5bb67b4ad4e042cf70cbd8681155db535942fcc6a0533858a7240';
const UNKNOWN = 'wok does not know this key';

/** Expands `a.b c.{d e}`: keys with spaces between, and braces for several below one. */
function keysOf(text: string): string[] {
  return [...text.matchAll(/([\w.]+)(?:\{([^}]*)\})?/g)].flatMap(([, head, inner]) =>
    inner === undefined
      ? [head!]
      : inner
          .trim()
          .split(/\s+/)
          .map((name) => `${head}${name}`),
  );
}

/** Keys of strfry.conf, from its documentation. */
const STRFRY_KEYS = keysOf(`db dbParams.{maxreaders mapsize noReadAhead}
  events.{maxEventSize rejectEventsNewerThanSeconds rejectEventsOlderThanSeconds
    rejectEphemeralEventsOlderThanSeconds ephemeralEventsLifetimeSeconds maxNumTags maxTagValSize}
  relay.{bind port nofiles realIpHeader maxWebsocketPayloadSize maxReqFilterSize autoPingSeconds
    enableTcpKeepalive queryTimesliceBudgetMicroseconds maxFilterLimit maxTagsPerFilter
    maxFilterLimitCount maxSubsPerConnection maxPendingOutboundBytes}
  relay.auth.{enabled serviceUrl restrictedReadKinds restrictReadToInvolvedPubkey}
  relay.info.{name description pubkey self contact icon banner privacy terms nips}
  relay.writePolicy.{plugin timeoutSeconds} relay.compression.{enabled slidingWindow}
  relay.logging.{dumpInAll dumpInEvents dumpInReqs dbScanPerf invalidEvents}
  relay.numThreads.{ingester reqWorker reqMonitor negentropy}
  relay.negentropy.{enabled maxSyncEvents}
  relay.filterValidation.{enabled maxFiltersPerReq minFiltersPerReq maxKindsPerFilter allowedKinds
    requireAuthorOrTag}`);

/** Keys of config.toml of nostr-rs-relay, from its documentation and its settings type. */
const RS_KEYS = keysOf(`
  info.{relay_url name description pubkey contact favicon relay_icon relay_page}
  diagnostics.tracing
  database.{engine data_directory in_memory min_conn max_conn connection connection_write}
  logging.{folder_path file_prefix} grpc.{event_admission_server restricts_write}
  network.{address port remote_ip_header ping_interval ping_interval_seconds}
  options.reject_future_seconds
  limits.{messages_per_sec subscriptions_per_min db_conns_per_client max_blocking_threads
    max_event_bytes max_ws_message_bytes max_ws_frame_bytes broadcast_buffer event_persist_buffer
    event_kind_blacklist event_kind_allowlist limit_scrapers}
  authorization.{pubkey_whitelist nip42_auth nip42_dms}
  verified_users.{mode domain_blacklist domain_whitelist verify_expiration verify_update_frequency
    max_consecutive_failures}
  pay_to_relay.{enabled processor admission_cost cost_per_event node_url api_secret rune_path
    direct_message terms_message sign_ups secret_key}
  retention.{max_events max_bytes persist_days whitelist_addresses}`);

/** Keys of settings.yaml of nostream; those of the environment begin with `env.`. */
const NOSTREAM_KEYS = keysOf(`
  info.{relay_url name description banner icon pubkey self contact terms_of_service}
  payments.{enabled processor} payments.feeSchedules.admission
  paymentsProcessors.zebedee.baseURL paymentsProcessors.lnbits.{baseURL callbackBaseURL}
  paymentsProcessors.lnurl.invoiceURL paymentsProcessors.nodeless.{baseURL storeId}
  paymentsProcessors.opennode.baseURL paymentsProcessors.nwc.replyTimeoutMs
  nip05.{mode verifyExpiration verifyUpdateFrequency maxConsecutiveFailures domainWhitelist
    domainBlacklist}
  nip42.{authRequired sessionExpirySeconds} nip42.restrictedReads.{enabled kinds}
  nip43.{enabled inviteCodeExpirySeconds defaultMaxUses allowInviteRequests}
  nip45.enabled nip50.{enabled language maxQueryLength}
  nip66.{enabled probeIntervalSeconds targets dnsCacheTtlSeconds}
  nip66.timeouts.{dnsMs tlsMs wsRttMs nip11Ms}
  wot.{enabled seedPubkey minimumFollowers refreshIntervalHours}
  network.{maxPayloadSize remoteIpHeader trustedProxies} workers.count mirroring.static dvm.workers
  limits.rateLimiter.strategy limits.invoice.{rateLimits ipWhitelist}
  limits.admissionCheck.{rateLimits ipWhitelist} limits.admin.{rateLimits loginRateLimits}
  limits.connection.{rateLimits ipWhitelist} limits.message.{rateLimits ipWhitelist}
  limits.event.retention.{maxDays kind.whitelist pubkey.whitelist}
  limits.event.eventId.minLeadingZeroBits limits.event.kind.{whitelist blacklist}
  limits.event.pubkey.{minBalance minLeadingZeroBits whitelist blacklist}
  limits.event.createdAt.{maxPositiveDelta maxNegativeDelta}
  limits.event.{content rateLimits} limits.event.whitelists.{pubkeys ipAddresses}
  limits.client.subscription.{maxSubscriptions maxFilters maxFilterValues maxSubscriptionIdLength
    maxLimit minPrefixLength}
  admin.{enabled sessionTtlSeconds} admin.nip98.{enabled allowedPubkeys maxSkewSeconds}
  env.{SECRET RELAY_PORT RELAY_PRIVATE_KEY WORKER_COUNT NOSTR_CONFIG_DIR DB_HOST DB_PORT DB_USER
    DB_PASSWORD DB_NAME DB_MIN_POOL_SIZE DB_MAX_POOL_SIZE DB_ACQUIRE_CONNECTION_TIMEOUT
    READ_REPLICA_ENABLED READ_REPLICAS RR0_DB_HOST RR0_DB_PASSWORD REDIS_HOST REDIS_PASSWORD
    TOR_HOST TOR_PASSWORD HIDDEN_SERVICE_PORT PROMETHEUS_URL GRAFANA_URL MONITOR_PRIVATE_KEY
    ZEBEDEE_API_KEY NODELESS_WEBHOOK_SECRET}`);

/** Returns the keys that an option or a remark names. */
function namedIn({ options, remarks }: Translation): Set<string> {
  return new Set([
    ...[...options.values()].flatMap(({ from }) => from),
    ...remarks.map(({ key }) => key),
  ]);
}

/** Loads the relay.conf of a reading. @throws ConfigError if wok does not accept it. */
function loaded({ translation, from }: Pick<Reading, 'translation' | 'from'>): Config {
  const file = join(freshDirectory(), 'relay.conf');
  writeFileSync(file, relayConf(translation, 'strfry', from));
  expect(isFromMigrate(readFileSync(file, 'utf8'))).toBe(true);
  return loadConfig({ file, env: {}, cwd: packageRoot });
}

/** Returns the remarks on a key. */
function remarksOn({ remarks }: Translation, key: string): string[] {
  return remarks.filter((one) => one.key === key).map(({ text }) => text);
}

const readings = {
  strfry: async () => readStrfry(join(FIXTURES, 'strfry'), undefined, undefined),
  'nostr-rs-relay': async () => readNostrRsRelay(join(FIXTURES, 'nostr-rs-relay'), undefined),
  nostream: () => readNostream(join(FIXTURES, 'nostream')),
  khatru: async () => readKhatru(join(FIXTURES, 'khatru/info.json')),
} as const satisfies Record<string, () => Promise<Reading>>;

describe.each([
  ['strfry', STRFRY_KEYS],
  ['nostr-rs-relay', RS_KEYS],
  ['nostream', NOSTREAM_KEYS],
  ['khatru', Object.keys(khatruRules).filter((key) => !key.endsWith('*'))],
] as const)('the configuration of %s', (name, keys) => {
  it('has every key carried over or remarked', async () => {
    const { translation } = await readings[name]();
    const named = namedIn(translation);
    expect(keys.filter((key) => !named.has(key))).toEqual([]);
    expect(translation.remarks.filter(({ text }) => text.startsWith(UNKNOWN))).toEqual([]);
  });

  it('gives a relay.conf that wok accepts, with every remark in it', async () => {
    const reading = await readings[name]();
    const config = loaded(reading);
    const { options, remarks } = reading.translation;
    for (const [key, { value }] of options) {
      const [section, option] = key.split('.') as [keyof Config, string];
      expect((config[section] as Record<string, unknown>)[option], key).toEqual(value);
    }
    const text = relayConf(reading.translation, name, reading.from).replace(/\s*\n#\s*/g, ' ');
    for (const remark of remarks) expect(text).toContain(remark.text.replace(/\s+/g, ' '));
  });
});

describe('a key that wok does not know', () => {
  it.each([strfryRules, nostrRsRelayRules, nostreamRules, khatruRules])('is remarked', (rules) => {
    const { remarks } = translate({ relay: { novelty: { x: 1 } } }, rules, '/');
    expect(remarks).toEqual([
      {
        key: 'relay.novelty.x',
        value: '1',
        text: expect.stringContaining(UNKNOWN),
        needsAction: true,
      },
    ]);
  });
});

describe('strfry', () => {
  it('keeps its addresses, limits, texts and plugin', async () => {
    const { translation, from } = await readings.strfry();
    const config = loaded({ translation, from });
    expect(config.io).toMatchObject({
      host: '0.0.0.0',
      port: 7780,
      client_address_header: 'cf-connecting-ip',
      compression: 'shared',
    });
    expect(config.info).toMatchObject({
      name: 'Harbour',
      description: 'Notes of the "harbour" people.\n\nBe kind.',
      pubkey: KEY,
      privacy_policy: 'https://harbour.example/privacy',
    });
    expect(config.limits).toMatchObject({
      event_bytes_max: 98_304,
      message_bytes_max: 98_314,
      tags_max: 1500,
      filters_max: 12,
      subscriptions_max: 64,
      limit_max: 250,
      limit_default: 250,
      created_at_past_seconds_max: 31_536_000,
    });
    expect(config.plugins).toMatchObject({
      commands: [join(FIXTURES, 'strfry/policy.sh')],
      timeout_milliseconds: 4000,
    });
    expect(config.auth.private_kinds).toEqual(['4', '1059', '1060']);
    expect(config.identity.urls).toEqual(['wss://harbour.example']);
    expect(config.negentropy.items_max).toBe(250_000);
    expect(remarksOn(translation, 'limits.message_bytes_max')).toEqual([
      'was adjusted: an event has to fit into a message.',
    ]);
  });

  it('names wok router for the router file, and remarks what cannot be used', async () => {
    const { translation, from } = await readings.strfry();
    const file = join(FIXTURES, 'strfry/strfry-router.conf');
    const text = relayConf(translation, 'strfry', from).replace(/\n# +/g, ' ');
    expect(text).toContain(`wok router ${file} takes this file as it is`);
    expect(remarksOn(translation, file)).toEqual([
      'streams.broken: urls must be a list of addresses.',
    ]);
  });

  it('gives mirrors as lines that the router file reader takes', () => {
    const streams = [
      { name: 'one two', dir: 'down', urls: ['wss://a.example', 'wss://b.example'] },
      { name: 'x', dir: 'both', urls: ['wss://c.example'], filter: { kinds: [0, 3] } },
    ] as const;
    const [, lines = ''] = peersBlock(streams).split('\n\n');
    const { streams: read, problems } = readRouterFile(lines);
    expect(problems).toEqual([]);
    expect(read).toMatchObject(streams);
  });
});

describe('strfry, its plugin and router file', () => {
  it('writes a plugin so that it stays the command that it was', () => {
    const directory = freshDirectory();
    mkdirSync(join(directory, 'bin'));
    writeFileSync(join(directory, 'bin/sift'), '');
    const entry = (command: string) => pluginEntry(command, directory);
    expect(entry('/opt/a --x')).toBe('/opt/a --x');
    expect(entry('./bin/sift -v')).toBe(`${join(directory, 'bin/sift')} -v`);
    expect(entry('./bin/none')).toBe('./bin/none');
    expect(entry('noteguard')).toBe('noteguard');
    expect(entry('name=x -- y')).toBe('asks=writes -- name=x -- y');
  });

  it('reads router files: streams, settings, and what is wrong', () => {
    const text =
      'verbose = false\nold = 1\nstreams { a { dir = "sideways" } b = 3\nc { dir = "up"\nurls = ["ws://c"]\nextra = 1 } }';
    expect(readRouterFile(text)).toEqual({
      streams: [
        {
          name: 'c',
          dir: 'up',
          urls: ['ws://c'],
          filter: {},
          pluginDown: undefined,
          pluginUp: undefined,
        },
      ],
      connectionTimeoutSeconds: undefined,
      verbose: false,
      problems: [
        'old: wok does not know this key.',
        'streams.a: dir must be "up", "down" or "both", not "sideways".',
        'streams.b: it is not a section.',
        'streams.c.extra: wok does not know this key.',
      ],
    });
  });
});

describe('nostr-rs-relay', () => {
  it('keeps its addresses, limits, lists and fees, and shows no secret', async () => {
    const { translation, from, database, takesPayments } = await readings['nostr-rs-relay']();
    const config = loaded({ translation, from });
    expect(config.io).toMatchObject({ host: '0.0.0.0', port: 8081 });
    expect(config.limits).toMatchObject({ event_bytes_max: 131_072, message_bytes_max: 131_082 });
    expect(config.policy).toMatchObject({
      kinds_denied: ['4'],
      kinds_allowed: ['0-3', '7', '40-44', '30023'],
      pubkeys_allowed: [KEY],
    });
    expect(config.nip05).toMatchObject({ required: true, domains_denied: ['spam.example'] });
    expect(config.admission.fee_msats).toBe(2_100_000);
    expect(config.pages.icon_file).toBe(join(FIXTURES, 'nostr-rs-relay/favicon.ico'));
    expect(remarksOn(translation, 'authorization.pubkey_whitelist')[0]).toContain('"not-a-key"');
    expect(remarksOn(translation, 'limits.event_kind_blacklist')[0]).toContain('65535');
    expect({ database, takesPayments }).toEqual({
      database: join(FIXTURES, 'nostr-rs-relay/data/nostr.db'),
      takesPayments: true,
    });
    const text = relayConf(translation, 'nostr-rs-relay', from);
    expect(text).not.toMatch(/hunter2|top-secret|nsec1/);
  });

  it('listens where it did by its own defaults, and never opens what was closed to all', () => {
    const directory = freshDirectory();
    writeFileSync(
      join(directory, 'config.toml'),
      '[limits]\nmax_event_bytes = 0\nevent_kind_allowlist = [70000]\n[authorization]\npubkey_whitelist = []\n',
    );
    const reading = readNostrRsRelay(directory, undefined);
    const config = loaded(reading);
    expect(config.io).toMatchObject({ host: '0.0.0.0', port: 8080 });
    expect(config.limits.event_bytes_max).toBe(16 * 1024 * 1024 - 10);
    const closed = reading.translation.remarks.filter(({ text }) => /accepts no event/.test(text));
    expect(closed.map(({ key }) => key)).toEqual([
      'limits.event_kind_allowlist',
      'authorization.pubkey_whitelist',
    ]);
  });
});

describe('nostream', () => {
  it('keeps its limits, rates and rules', async () => {
    const { translation, from } = await readings.nostream();
    const config = loaded({ translation, from });
    expect(config.io).toMatchObject({ port: 8009, trusted_proxies: ['127.0.0.1', '10.10.10.1'] });
    expect(config.rates).toMatchObject({
      ip_connections: '48/min burst 12',
      ip_messages: '240/min',
      pubkey_events: '720/h',
      pubkey_events_by_kind: ['0=6/min', '3=6/min', '20000-29999=30/min burst 5'],
      exempt: ['127.0.0.0/8', '::1', '10.10.10.1', '192.0.2.7'],
    });
    expect(config.limits.content_length_by_kind).toEqual([
      '0-10=5000',
      '42=5000',
      '11-41=20000',
      '43-65535=20000',
    ]);
    expect(config.limits).toMatchObject({ limit_max: 400, limit_default: 400 });
    expect(config.retention).toMatchObject({
      age: ['0-65535=90d', '0=100y', '3=100y', '10000-19999=100y'],
      pubkeys_protected: [KEY],
    });
    expect(config.trust).toMatchObject({ roots: [KEY], followers_min: 2 });
    expect(config.membership).toMatchObject({ enabled: true, members_invite: false });
    expect(config.auth).toMatchObject({ required: 'write', private_kinds: ['4', '1059'] });
    expect(config.policy).toMatchObject({ open_kinds: ['9735'], pow_min: 8 });
    const text = relayConf(translation, 'nostream', from);
    expect(text).toContain('urls = ["wss://source.example"]');
    expect(text).not.toMatch(/hunter|deadbeef|cafe\b|0123456789/);
  });

  it.each([
    [[{ period: 1000, rate: 5 }], '5/s'],
    [[{ period: 86_400_000, rate: 9 }], '9/day'],
    [[{ period: 5000, rate: 1 }], '12/min burst 1'],
    [[{ period: 7000, rate: 1 }], '12343/day burst 1'],
    [[], undefined],
    ['nonsense', undefined],
  ])('windows %j are the bucket %j', (windows, bucket) => {
    expect(bucketOf(windows)).toBe(bucket);
  });

  it('has an environment with quotes and comments', () => {
    const text = '# c\nA=1 # one\nexport B="x # y"\n C = \'z\'\nD=\nnot a line\n';
    expect(environmentOf(text)).toEqual({ A: '1', B: 'x # y', C: 'z', D: '' });
  });

  it('with its shipped placeholders carries none of them over', async () => {
    const directory = freshDirectory();
    writeFileSync(
      join(directory, 'settings.yaml'),
      'info:\n  pubkey: replace-with-your-pubkey-in-hex\n  banner: ""\nwot: { enabled: false, seedPubkey: "" }\n',
    );
    const { translation } = await readNostream(directory);
    expect([...translation.options.keys()]).toEqual(['io.port']);
  });
});

describe('a relay information document', () => {
  it('gives texts, limits and fees', async () => {
    const config = loaded(await readings.khatru());
    expect(config.limits).toMatchObject({
      message_bytes_max: 512_000,
      event_bytes_max: 511_990,
      limit_max: 300,
      limit_default: 100,
      content_length_by_kind: ['0-65535=8000'],
    });
    expect(config.admission).toMatchObject({
      fee_msats: 21_000,
      payments_url: 'https://jetty.example/pay',
    });
    expect(config.auth.required).toBe('all');
  });
});

describe('values of any kind', () => {
  const scalar = fc.oneof(
    fc.integer({ min: -10, max: 2 ** 40 }),
    fc.double(),
    fc.boolean(),
    fc.string(),
    fc.constantFrom(
      '',
      'wss://x.example',
      KEY,
      'nsec1xyz',
      '10.0.0.1',
      '1-2',
      'enabled',
      '\n[io]\nx=1',
      null,
    ),
  );
  const value = fc.oneof(
    scalar,
    fc.array(scalar, { maxLength: 4 }),
    fc.array(
      fc.dictionary(
        fc.constantFrom('period', 'rate', 'kinds', 'maxLength', 'enabled', 'amount'),
        scalar,
      ),
      { maxLength: 3 },
    ),
  );

  /** Builds a tree of dotted keys. */
  function treeOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
    const tree: Record<string, unknown> = {};
    for (const [key, one] of entries) {
      const names = key.split('.');
      let inner = tree;
      for (const name of names.slice(0, -1)) {
        inner[name] ??= {};
        inner = inner[name] as Record<string, unknown>;
      }
      inner[names.at(-1)!] = one;
    }
    return tree;
  }

  it.each<[string, Rules]>([
    ['strfry', strfryRules],
    ['nostr-rs-relay', nostrRsRelayRules],
    ['nostream', nostreamRules],
    ['khatru', khatruRules],
  ])('of %s give a relay.conf that loads', (_, rules) => {
    const keys = Object.keys(rules).filter((key) => !key.endsWith('*'));
    const entry = fc.tuple(fc.constantFrom(...keys), value);
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 30 }), (entries) => {
        const tree = treeOf(entries);
        const translation = translate(tree, rules, '/nowhere');
        loaded({ translation, from: 'random values' });
        const named = namedIn(translation);
        expect([...leavesOf(tree)].filter(([key]) => !named.has(key))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
