import { kindValue } from '../../config/kind-values.ts';
import type { Config } from '../../config/options.ts';
import { parseRate, type Rate } from '../../config/rate.ts';
import type { Clock } from '../../lib/clock.ts';
import { isEphemeral } from '../../protocol/kinds.ts';
import { TermHasher } from '../../storage/terms.ts';
import { holds } from '../kind-numbers.ts';
import { refuse, type Verdict } from '../verdict.ts';
import { type Account, Ledger } from './ledger.ts';
import { accountNames, Networks, type PrefixBits } from './networks.ts';
import * as shared from './shared-rates.ts';

/** Whom a connection's messages are charged to. */
export interface Client {
  /** The address, an IPv6 one by its prefix. */
  readonly name: string;
  readonly address: Account;
  readonly network: Account;
}

/** What an author's events are charged to, and at what rate. */
export interface AuthorAccount {
  readonly account: Account;
  readonly rate: Rate;
}

interface Known {
  readonly name: string;
  readonly network: string;
  readonly client: Client | null;
}

const KNOWN_MAX = 4096;

const EVERYBODY: Account = { tag: 1, row: 0 };

/** What is counted, by the number of its bucket, as the refusals say it. */
const THINGS = ['connections', 'messages', 'bytes', 'events', 'queries'];

/** The rates that a kind of holder has for each bucket. */
type BucketRates = readonly (Rate | null)[];

interface KindRate {
  readonly kinds: ReturnType<typeof kindOf>;
  readonly rate: Rate | null;
  /** Tells the account from the author's others. */
  readonly name: string;
}

/**
 * The rates and bans of one thread over the ledgers that all threads share. Everything that is asked
 * for is charged to the address, its network and everybody together; the events of an author to its key.
 *
 * A refused step is not charged, so that who waits as long as told gets through; it is a violation, and
 * an address with too many of them within a while is banned for a while. Being banned is no violation.
 */
export class Rates {
  readonly #clock: Clock;
  readonly #hasher: TermHasher;
  readonly #networks: Ledger;
  readonly #keys: Ledger;
  readonly #everybody: Ledger;
  readonly #banned: (address: string, seconds: number) => void;
  #bits!: PrefixBits;
  #exempt!: Networks;
  #address!: BucketRates;
  #network!: BucketRates;
  #all!: BucketRates;
  #keyEvents: Rate | null = null;
  #byKind!: readonly KindRate[];
  #violations: Rate | null = null;
  #banMilliseconds = 0;
  /** What the last refusal told its client to wait, in milliseconds. */
  #lastWait = 0;
  /** Addresses that were seen lately: to take one apart costs 9 µs. */
  readonly #known = new Map<string, Known>();

  /** `banned` hears of every ban that this thread imposes. */
  constructor(
    config: Config,
    { secret, networks, keys, everybody }: shared.SharedRates,
    clock: Clock,
    banned: (address: string, seconds: number) => void = () => {},
  ) {
    this.#banned = banned;
    this.#clock = clock;
    this.#hasher = new TermHasher(secret);
    this.#networks = new Ledger(networks, shared.NETWORK_BUCKETS);
    this.#keys = new Ledger(keys, shared.KEY_BUCKETS);
    this.#everybody = new Ledger(everybody, shared.NETWORK_BUCKETS);
    this.reconfigure(config);
  }

  /** Works by these rates from now on; what is on the accounts stays there. */
  reconfigure({ rates, bans, io }: Config): void {
    this.#bits = {
      ipv6Address: rates.ipv6_address_bits,
      ipv4Network: rates.ipv4_subnet_bits,
      ipv6Network: rates.ipv6_subnet_bits,
    };
    this.#exempt = new Networks([...rates.exempt, ...io.trusted_proxies]);
    this.#known.clear();
    const of = (text: string) => parseRate(text) ?? null;

    this.#address = [
      rates.ip_connections,
      rates.ip_messages,
      rates.ip_bytes,
      rates.ip_events,
      rates.ip_subscriptions,
    ].map(of);
    this.#network = [
      rates.subnet_connections,
      rates.subnet_messages,
      rates.subnet_bytes,
      rates.subnet_events,
      rates.subnet_subscriptions,
    ].map(of);
    this.#all = [
      rates.all_connections,
      rates.all_messages,
      rates.all_bytes,
      rates.all_events,
      rates.all_subscriptions,
    ].map(of);
    this.#keyEvents = of(rates.pubkey_events);
    this.#byKind = rates.pubkey_events_by_kind.map((text) => {
      const { value } = kindValue(text)!;
      return { kinds: kindOf(text), rate: of(value), name: text.slice(0, text.indexOf('=')) };
    });
    const { violations_max: violations, window_seconds: window } = bans;
    this.#violations =
      violations > 0 ? { perSecond: violations / window, burst: violations } : null;
    this.#banMilliseconds = bans.ban_seconds * 1000;
  }

  /** The accounts of an address, or null when it is exempt. */
  client(ip: string): Client | null {
    return this.#of(ip).client;
  }

  /** The name under which an address counts as one: an IPv6 one by its prefix. */
  nameOf(ip: string): string {
    return this.#of(ip).name;
  }

  /** The name of the network that an address is held to account with. */
  networkOf(ip: string): string {
    return this.#of(ip).network;
  }

  #of(ip: string): Known {
    let known = this.#known.get(ip);
    if (known !== undefined) return known;
    const { address, network } = accountNames(ip, this.#bits);
    const exempt = ip === '' || this.#exempt.has(ip);
    const client = exempt
      ? null
      : {
          name: address,
          address: { tag: this.#hasher.tag('i', address), row: 0 },
          network: { tag: this.#hasher.tag('s', network), row: 0 },
        };
    known = { name: address, network, client };
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(ip, known);
    return known;
  }

  /** Seconds for which an address is still banned, 0 when it is not. */
  bannedSeconds(client: Client): number {
    const left = this.#networks.debt(client.address, shared.BAN, this.#clock.milliseconds());
    return Math.ceil(left / 1000);
  }

  /** Counts a new connection; the seconds to wait when it is one too many, else 0. */
  connectionWait(client: Client): number {
    const refused = this.one(client, shared.CONNECTIONS);
    return refused === null ? 0 : Math.max(1, Math.ceil(this.#lastWait / 1000));
  }

  /** A message came; `null` when it may be looked at. */
  message(client: Client, bytes: number): Verdict | null {
    const now = this.#clock.milliseconds();
    return (
      this.#ban(client, now) ??
      this.#take(client, shared.MESSAGES, 1, now) ??
      this.#take(client, shared.BYTES, bytes, now)
    );
  }

  /** Why the address may send nothing while it is banned; null when it is not. */
  ban(client: Client): Verdict | null {
    return this.#ban(client, this.#clock.milliseconds());
  }

  #ban(client: Client, now: number): Verdict | null {
    const banned = this.#networks.debt(client.address, shared.BAN, now);
    if (banned === 0) return null;
    return refuse(
      'banned-ip',
      `rate-limited: this address is banned for too many violations; try again ${inSeconds(banned)}`,
    );
  }

  /** One more connection (`CONNECTIONS`), event or subscription; null when there is room for it. */
  one(client: Client, bucket: number): Verdict | null {
    return this.#take(client, bucket, 1, this.#clock.milliseconds());
  }

  /** Charges so many more, whether there is room for them or not: the next one waits for it. */
  charge(client: Client, bucket: number, cost: number): void {
    this.#charge(client, bucket, cost, this.#clock.milliseconds());
  }

  #charge(client: Client, bucket: number, cost: number, now: number): void {
    const address = this.#address[bucket]!;
    const network = this.#network[bucket]!;
    const all = this.#all[bucket]!;
    if (all !== null) this.#everybody.charge(EVERYBODY, bucket, all, cost, now);
    if (address !== null) this.#networks.charge(client.address, bucket, address, cost, now);
    if (network !== null) this.#networks.charge(client.network, bucket, network, cost, now);
  }

  #take(client: Client, bucket: number, cost: number, now: number): Verdict | null {
    const address = this.#address[bucket]!;
    const network = this.#network[bucket]!;
    const all = this.#all[bucket]!;
    if (address !== null) {
      const wait = this.#networks.wait(client.address, bucket, address, now);
      if (wait > 0) return this.#tooMuch(client, bucket, 'rate-ip', 'your address', wait, now);
    }
    if (network !== null) {
      const wait = this.#networks.wait(client.network, bucket, network, now);
      if (wait > 0) return this.#tooMuch(client, bucket, 'rate-subnet', 'your network', wait, now);
    }
    if (all !== null) {
      const wait = this.#everybody.wait(EVERYBODY, bucket, all, now);
      if (wait > 0) {
        this.#lastWait = wait;
        return refuse(
          'rate-all',
          `rate-limited: too many ${THINGS[bucket]} here; try again ${inSeconds(wait)}`,
        );
      }
    }
    this.#charge(client, bucket, cost, now);
    return null;
  }

  #tooMuch(
    client: Client,
    bucket: number,
    rule: 'rate-ip' | 'rate-subnet',
    whose: string,
    wait: number,
    now: number,
  ): Verdict {
    this.#lastWait = wait;
    // Who only reconnects too often waits at the door, and is not banned for it.
    if (bucket !== shared.CONNECTIONS && rule === 'rate-ip') this.#violation(client, now);
    return refuse(
      rule,
      `rate-limited: too many ${THINGS[bucket]} from ${whose}; try again ${inSeconds(wait)}`,
    );
  }

  /** The client did something that no honest client does: a wrong signature, a message that is none. */
  violation(client: Client): void {
    this.#violation(client, this.#clock.milliseconds());
  }

  #violation({ name, address }: Client, now: number): void {
    const allowed = this.#violations;
    if (allowed === null || this.#networks.debt(address, shared.BAN, now) > 0) return;
    if (this.#networks.wait(address, shared.VIOLATIONS, allowed, now) === 0) {
      this.#networks.charge(address, shared.VIOLATIONS, allowed, 1, now);
      return;
    }
    this.#networks.block(address, shared.BAN, now + this.#banMilliseconds, now);
    this.#banned(name, this.#banMilliseconds / 1000);
  }

  /**
   * The account of an author for events of this kind, with its rate; null when there is none. Ephemeral
   * events can be sent again by anybody who saw them, so each address has an account of its own for
   * them.
   */
  author(client: Client, pubkey: string, kind: number): AuthorAccount | null {
    for (let i = this.#byKind.length - 1; i >= 0; i--) {
      const { kinds, rate, name } = this.#byKind[i]!;
      if (!holds(kinds, kind)) continue;
      if (rate === null) return null;
      return this.#authorAccount(client, name + pubkey, kind, rate);
    }
    if (this.#keyEvents === null) return null;
    return this.#authorAccount(client, pubkey, kind, this.#keyEvents);
  }

  #authorAccount(client: Client, name: string, kind: number, rate: Rate): AuthorAccount {
    const whose = isEphemeral(kind) ? `${name} ${client.address.tag}` : name;
    return { account: { tag: this.#hasher.author(whose), row: 0 }, rate };
  }

  /** Whether authors have rates at all. */
  get limitsAuthors(): boolean {
    return this.#keyEvents !== null || this.#byKind.length > 0;
  }

  /** Milliseconds that an author has to wait. */
  authorWait({ account, rate }: AuthorAccount): number {
    return this.#keys.wait(account, shared.KEY_EVENTS, rate, this.#clock.milliseconds());
  }

  chargeAuthor({ account, rate }: AuthorAccount): void {
    this.#keys.charge(account, shared.KEY_EVENTS, rate, 1, this.#clock.milliseconds());
  }
}

function kindOf(text: string) {
  return kindValue(text)!.kinds;
}

/** `in 3 seconds`: whole ones, so that who waits so long is not refused again. */
export function inSeconds(milliseconds: number): string {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  return seconds === 1 ? 'in 1 second' : `in ${seconds} seconds`;
}
