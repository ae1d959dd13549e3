// Rate limits and bans of clients, networks and authors. The token buckets are in shared memory;
// each thread has its own `Rates` over them.

import { type Rejection, refuse } from '../../access/rejection.ts';
import type { Config } from '../../config/options.ts';
import { parseRate, type Rate, scaledRate } from '../../config/rate.ts';
import type { Clock } from '../../lib/clock.ts';
import { NetworkSet } from '../../lib/network-set.ts';
import type { ConnectedClient } from '../../messages/io-ingester.ts';
import { holds } from '../../protocol/kind-numbers.ts';
import { kindValue } from '../../protocol/kind-values.ts';
import { isEphemeral } from '../../protocol/kinds.ts';
import { TermHasher } from '../../store/index/terms.ts';
import { type PrefixBits, quotaNames } from './networks.ts';
import * as shared from './shared-rates.ts';
import { type QuotaKey, TokenBuckets } from './token-buckets.ts';

/** Quota keys that a connection's messages are charged to. */
export interface Client {
  /** Address; for IPv6 its prefix. */
  readonly name: string;
  readonly address: QuotaKey;
  readonly network: QuotaKey;
}

/** Quota key that an author's events are charged to, and its rate. */
export interface AuthorQuotaKey {
  readonly quota: QuotaKey;
  readonly rate: Rate;
}

interface Known {
  readonly name: string;
  readonly network: string;
  readonly client: Client | null;
}

const KNOWN_MAX = 4096;

/** Names of the buckets in refusals, by bucket number. */
const THINGS = ['connections', 'messages', 'bytes', 'events', 'queries'];

/** Rate of each bucket for one kind of holder; null: unlimited. */
type BucketRates = readonly (Rate | null)[];

interface KindRate {
  readonly kinds: ReturnType<typeof kindOf>;
  readonly rate: Rate | null;
  /** Distinguishes this quota key from the author's others. */
  readonly name: string;
}

/**
 * Rates and bans of one thread over the token buckets that all threads share. Each step of a client
 * is charged to the address and its network; the events of an author to its key.
 *
 * A refused step is not charged, so that a client that waits as long as told gets through. A step
 * refused by the rate of its address counts as a violation, except a connection; an address with
 * too many violations within `window_seconds` is banned for `ban_seconds`. Being banned is no
 * violation.
 */
export class Rates {
  readonly #clock: Clock;
  readonly #hasher: TermHasher;
  readonly #networks: TokenBuckets;
  readonly #keys: TokenBuckets;
  readonly #banned: (address: string, seconds: number) => void;
  #bits!: PrefixBits;
  #exempt!: NetworkSet;
  #address!: BucketRates;
  #network!: BucketRates;
  #keyEvents: Rate | null = null;
  #byKind!: readonly KindRate[];
  #violations: Rate | null = null;
  #banMilliseconds = 0;
  /** Wait of the last refusal, in milliseconds. */
  #lastWait = 0;
  /** Cache of recent addresses: parsing one costs 9 µs. */
  readonly #known = new Map<string, Known>();

  /** Takes `banned`, which is called for every ban that this thread imposes. */
  constructor(
    config: Config,
    { secret, networks, keys }: shared.SharedRates,
    clock: Clock,
    banned: (address: string, seconds: number) => void = () => {},
  ) {
    this.#banned = banned;
    this.#clock = clock;
    this.#hasher = new TermHasher(secret);
    this.#networks = new TokenBuckets(networks, shared.NETWORK_BUCKETS);
    this.#keys = new TokenBuckets(keys, shared.KEY_BUCKETS);
    this.reconfigure(config);
  }

  /** Applies new rates; the state of the buckets stays. */
  reconfigure({ rates, bans, io }: Config): void {
    this.#bits = {
      ipv6Address: rates.ipv6_address_bits,
      ipv4Network: rates.ipv4_subnet_bits,
      ipv6Network: rates.ipv6_subnet_bits,
    };
    this.#exempt = new NetworkSet([...rates.exempt, ...io.trusted_proxies]);
    this.#known.clear();
    const of = (text: string) => parseRate(text) ?? null;

    this.#address = [
      rates.ip_connections,
      rates.ip_messages,
      rates.ip_bytes,
      rates.ip_events,
      rates.ip_subscriptions,
    ].map(of);
    this.#network = this.#address.map((rate) => scaledRate(rate, rates.subnet_factor));
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

  /** Returns the quota keys of an address, or null when it is exempt. */
  client(ip: string): Client | null {
    return this.#of(ip).client;
  }

  /** Returns the quota keys of a connection, or null when it is exempt: all local ones are. */
  clientOf({ source, ip }: Pick<ConnectedClient, 'source' | 'ip'>): Client | null {
    return source === 'client' ? this.client(ip) : null;
  }

  /** Returns the name that an address is counted under; for IPv6 its prefix. */
  nameOf(ip: string): string {
    return this.#of(ip).name;
  }

  /** Returns the name of the network that an address is counted under. */
  networkOf(ip: string): string {
    return this.#of(ip).network;
  }

  #of(ip: string): Known {
    let known = this.#known.get(ip);
    if (known !== undefined) return known;
    const { address, network } = quotaNames(ip, this.#bits);
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

  /** Returns the seconds for which an address is still banned, 0 when it is not. */
  bannedSeconds(client: Client): number {
    const left = this.#networks.debt(client.address, shared.BAN, this.#clock.milliseconds());
    return Math.ceil(left / 1000);
  }

  /** Charges a new connection; returns the seconds to wait when the rate is exceeded, else 0. */
  connectionWait(client: Client): number {
    const refused = this.one(client, shared.CONNECTIONS);
    return refused === null ? 0 : Math.max(1, Math.ceil(this.#lastWait / 1000));
  }

  /** Charges a message; returns null when it may be processed. */
  message(client: Client, bytes: number): Rejection | null {
    const now = this.#clock.milliseconds();
    return (
      this.#ban(client, now) ??
      this.#take(client, shared.MESSAGES, 1, now) ??
      this.#take(client, shared.BYTES, bytes, now)
    );
  }

  /** Returns the rejection of a banned address; null when it is not banned. */
  ban(client: Client): Rejection | null {
    return this.#ban(client, this.#clock.milliseconds());
  }

  #ban(client: Client, now: number): Rejection | null {
    const banned = this.#networks.debt(client.address, shared.BAN, now);
    if (banned === 0) return null;
    return refuse(
      'banned-ip',
      `rate-limited: this address is banned because of too many violations; try again ${inSeconds(banned)}`,
    );
  }

  /** Charges one connection (`CONNECTIONS`), event or subscription; null when it is allowed. */
  one(client: Client, bucket: number): Rejection | null {
    return this.#take(client, bucket, 1, this.#clock.milliseconds());
  }

  /** Charges `cost` even beyond the rates: the next step waits for the debt. */
  charge(client: Client, bucket: number, cost: number): void {
    this.#charge(client, bucket, cost, this.#clock.milliseconds());
  }

  #charge(client: Client, bucket: number, cost: number, now: number): void {
    const address = this.#address[bucket]!;
    const network = this.#network[bucket]!;
    if (address !== null) this.#networks.charge(client.address, bucket, address, cost, now);
    if (network !== null) this.#networks.charge(client.network, bucket, network, cost, now);
  }

  #take(client: Client, bucket: number, cost: number, now: number): Rejection | null {
    const address = this.#address[bucket]!;
    const network = this.#network[bucket]!;
    if (address !== null) {
      const wait = this.#networks.wait(client.address, bucket, address, now);
      if (wait > 0) return this.#tooMuch(client, bucket, 'rate-ip', 'your address', wait, now);
    }
    if (network !== null) {
      const wait = this.#networks.wait(client.network, bucket, network, now);
      if (wait > 0) return this.#tooMuch(client, bucket, 'rate-subnet', 'your network', wait, now);
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
  ): Rejection {
    this.#lastWait = wait;
    // Reconnecting too often only makes the client wait; it is no reason for a ban.
    if (bucket !== shared.CONNECTIONS && rule === 'rate-ip') this.#violation(client, now);
    // For example: rate-limited: too many messages from your address; try again in 3 seconds
    return refuse(
      rule,
      `rate-limited: too many ${THINGS[bucket]} from ${whose}; try again ${inSeconds(wait)}`,
    );
  }

  /** Counts a violation that no honest client commits: a wrong signature, a malformed message. */
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
   * Returns the quota key of an author for events of this kind, with its rate; null when there is
   * none. Ephemeral events can be replayed by every client that received them, so each address has
   * a separate quota key for them.
   */
  author(client: Client, pubkey: string, kind: number): AuthorQuotaKey | null {
    for (let i = this.#byKind.length - 1; i >= 0; i--) {
      const { kinds, rate, name } = this.#byKind[i]!;
      if (!holds(kinds, kind)) continue;
      if (rate === null) return null;
      return this.#authorQuota(client, name + pubkey, kind, rate);
    }
    if (this.#keyEvents === null) return null;
    return this.#authorQuota(client, pubkey, kind, this.#keyEvents);
  }

  #authorQuota(client: Client, name: string, kind: number, rate: Rate): AuthorQuotaKey {
    const whose = isEphemeral(kind) ? `${name} ${client.address.tag}` : name;
    return { quota: { tag: this.#hasher.author(whose), row: 0 }, rate };
  }

  /** True if authors have rates at all. */
  get limitsAuthors(): boolean {
    return this.#keyEvents !== null || this.#byKind.length > 0;
  }

  /** Returns the milliseconds that an author has to wait. */
  authorWait({ quota, rate }: AuthorQuotaKey): number {
    return this.#keys.wait(quota, shared.KEY_EVENTS, rate, this.#clock.milliseconds());
  }

  chargeAuthor({ quota, rate }: AuthorQuotaKey): void {
    this.#keys.charge(quota, shared.KEY_EVENTS, rate, 1, this.#clock.milliseconds());
  }
}

function kindOf(text: string) {
  return kindValue(text)!.kinds;
}

/** Returns `in 3 seconds`: rounded up, so that a client that waits so long is not refused again. */
export function inSeconds(milliseconds: number): string {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  return seconds === 1 ? 'in 1 second' : `in ${seconds} seconds`;
}
