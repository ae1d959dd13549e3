// Dry run of the write policy of a configuration on recorded events, in the process of a command.
// It uses the rules of a running relay and stores nothing.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readKeyFile } from '../access/key-file.ts';
import { KeySet } from '../access/key-set.ts';
import { loadLists } from '../access/list-rows.ts';
import { AccessLists } from '../access/lists.ts';
import { SharedKeys } from '../access/shared-keys.ts';
import { Profiles, webOfTrust } from '../access/web-of-trust.ts';
import type { Config } from '../config/options.ts';
import type { RuleName } from '../config/rule-names.ts';
import type { Log } from '../log/log.ts';
import { InProcessPlugins } from '../policy/plugins/in-process.ts';
import { PolicyModules } from '../policy/plugins/modules.ts';
import { Rates } from '../policy/rates/rates.ts';
import { shareRates } from '../policy/rates/shared-rates.ts';
import type { Sender } from '../policy/result.ts';
import { RecentTexts } from '../policy/spam/recent-texts.ts';
import { SpamFilter } from '../policy/spam/spam-filter.ts';
import { MessageScan } from '../protocol/message-scan.ts';
import type { SignatureBackend } from '../protocol/signature/backend.ts';
import { loadSignatureBackend } from '../protocol/signature/signature.ts';
import { databaseFile, openReader, termKey } from '../store/database/open.ts';
import { TermHasher } from '../store/index/terms.ts';
import { ClientProfile } from '../validation/client-profile.ts';
import { EventValidator } from '../validation/event-validator.ts';

const NO_KEYS: ReadonlySet<string> = new Set();
const SENDER: Sender = { connId: 0, source: 'client', ip: '', authed: NO_KEYS };

/** Terms are made and not used: nothing is stored. */
const NO_INDEX = new TermHasher(new Uint8Array(8));
/** Events are parsed from lines of several forms, so their text is made anew. */
const NO_MESSAGE = Buffer.alloc(0);

const nothing = () => {};
const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Policy result for one recorded event. */
export interface TrialResult {
  /** '' if the line has none. */
  id: string;
  pubkey: string;
  kind: number | null;
  action: 'accepted' | 'refused' | 'shadowed' | 'quarantined';
  /** Rule that rejected the event; '' if it was accepted. */
  rule: RuleName | '';
  text: string;
}

/** Options of a trial. */
interface TrialOptions {
  /** True to check signatures. */
  verify: boolean;
  /**
   * True to treat every event as sent by its author, authenticated (NIP-42); false: by an
   * unauthenticated client.
   */
  authed: boolean;
  /** True to start and ask plugins. */
  plugins: boolean;
}

/** Returns descriptions of the parts of the configuration that a trial leaves out. */
export function notTried({ plugins, nip05, spam }: Config, asked: boolean): string[] {
  const found: string[] = [];
  if (plugins.commands.length > 0 && !asked) {
    found.push('plugins are not queried; --plugins starts and queries them');
  }
  if (spam.mode !== 'off')
    found.push('spam is scored as if every key had a profile and no reports');
  if (nip05.required) found.push('NIP-05 addresses are not looked up');
  return found;
}

/**
 * Trial of a write policy on recorded events. Each event is treated as if it had arrived at its own
 * created_at, from its author or from an unauthenticated client. Rates of authors apply, those of
 * addresses do not. The lists and the follow graph are those of the data directory, if it has a
 * database.
 */
export class PolicyTrial {
  #now = 0;
  /** Never used for a scan: the text of no message is canonical. */
  readonly #scan = new MessageScan();
  readonly #validator: EventValidator;
  readonly #modules: PolicyModules;
  readonly #plugins: InProcessPlugins | null;
  readonly #spam: SpamFilter;
  readonly #authed: boolean;

  private constructor(
    config: Config,
    known: { lists: AccessLists; keys: SharedKeys },
    modules: PolicyModules,
    signature: SignatureBackend | null,
    how: TrialOptions,
    log: Log,
  ) {
    this.#authed = how.authed;
    const clock = { seconds: () => this.#now, milliseconds: () => this.#now * 1000 };
    const rates = new Rates(config, shareRates(config.rates.accounts_max), clock);
    const profile = new ClientProfile(config, { ...known, rates, clock, stored: null });
    this.#validator = new EventValidator(NO_INDEX, profile, signature);
    this.#modules = modules;
    const wanted = how.plugins && config.plugins.commands.length > 0;
    this.#plugins = wanted ? new InProcessPlugins(config, clock, log) : null;
    this.#spam = new SpamFilter({
      config,
      texts: RecentTexts.share(),
      keys: { of: () => ({ hasProfile: true, reports: 0 }) },
      clock,
      log: SILENT,
      meter: { result: () => {}, part: () => {} },
    });
  }

  /** @throws Error named ConfigError for a module, StorageError for the database. */
  static async open(config: Config, how: TrialOptions, log: Log): Promise<PolicyTrial> {
    const modules = await PolicyModules.load(config, 0, log);
    const signature = how.verify
      ? await loadSignatureBackend(config.ingester.signature_backend)
      : null;
    return new PolicyTrial(config, await knownOf(config), modules, signature, how, log);
  }

  /** Number of failures of plugins, by cause. */
  get pluginFailures(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#plugins?.failures ?? []);
  }

  async stop(): Promise<void> {
    this.#modules.stop();
    await this.#plugins?.stop();
  }

  /**
   * Returns the policy result for one line: an event, `["EVENT",event]`, or an object with an
   * `event`.
   */
  async try(line: string): Promise<TrialResult> {
    let value: unknown;
    try {
      value = eventIn(JSON.parse(line));
    } catch {
      return trialResult(null, 'refused', 'shape', 'invalid: the line is not JSON');
    }
    // The event stands for its own moment and sender, as far as it names them.
    const { created_at: now, pubkey } = (value ?? {}) as Record<string, unknown>;
    this.#now = typeof now === 'number' ? now : 0;
    const authed = this.#authed && typeof pubkey === 'string' ? new Set([pubkey]) : NO_KEYS;
    const from = { client: null, authed, source: 'client' } as const;
    const checked = this.#validator.check(value, NO_MESSAGE, this.#scan, from);
    if ('refusal' in checked) return trialResult(value, 'refused', checked.rule, checked.refusal);
    const { event } = checked;
    const json = Buffer.from(checked.json);
    const write = { event, json, from: { ...SENDER, authed } };
    const scored = this.#spam.evaluateWrite(write);
    let evaluated = scored.action === 'accept' ? await this.#modules.evaluateWrite(write) : scored;
    if (evaluated.action === 'accept' && this.#plugins)
      evaluated = await this.#plugins.evaluateWrite(write);
    if (evaluated.action === 'accept') return trialResult(event, 'accepted', '', '');
    if (evaluated.action === 'hold')
      return trialResult(event, 'quarantined', evaluated.rule, evaluated.why);
    const action = evaluated.action === 'refuse' ? 'refused' : 'shadowed';
    return trialResult(event, action, evaluated.rule, evaluated.message);
  }
}

/** Loads the lists and keys that a relay on this data directory would use. */
async function knownOf(config: Config): Promise<{ lists: AccessLists; keys: SharedKeys }> {
  const keys = new SharedKeys();
  const { policy, admission, trust } = config;
  const files = {
    denied: policy.pubkeys_denied_files,
    allowed: policy.pubkeys_allowed_files,
    admitted: admission.files,
  };
  for (const [list, paths] of Object.entries(files) as [keyof typeof files, string[]][]) {
    const now = Math.floor(Date.now() / 1000);
    const read = (path: string) => readKeyFile(readFileSync(resolve(path), 'utf8'), now).keys;
    if (paths.length > 0) keys.sets[list] = KeySet.of(paths.flatMap(read));
  }
  if (!existsSync(databaseFile(config.storage.directory)))
    return { lists: new AccessLists(), keys };
  const db = openReader(config.storage);
  try {
    if (trust.roots.length > 0) {
      const { depth, followers_min: followersMin, keys_max: keysMax } = trust;
      const profiles = new Profiles(db, new TermHasher(termKey(db)));
      const limits = { depth, followersMin, keysMax };
      keys.sets.trusted = KeySet.of(await webOfTrust(profiles, trust.roots, limits));
    }
    return { lists: loadLists(db), keys };
  } finally {
    db.close();
  }
}

function eventIn(value: unknown): unknown {
  if (Array.isArray(value)) return value[0] === 'EVENT' ? value.at(-1) : value;
  const { event } = (value ?? {}) as { event?: unknown };
  return typeof event === 'object' && event !== null ? event : value;
}

function trialResult(
  event: unknown,
  action: TrialResult['action'],
  rule: TrialResult['rule'],
  text: string,
): TrialResult {
  const { id, pubkey, kind } = (event ?? {}) as Record<string, unknown>;
  return {
    id: typeof id === 'string' ? id : '',
    pubkey: typeof pubkey === 'string' ? pubkey : '',
    kind: typeof kind === 'number' ? kind : null,
    action,
    rule,
    text,
  };
}
