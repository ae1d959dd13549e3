// Read budgets: query cost is charged to address, network and authenticated keys through the shared
// token buckets.

import type { Config } from '../../config/options.ts';
import { parseRate, type Rate, scaledRate } from '../../config/rate.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Refusal } from '../../protocol/refusal.ts';
import { TermHasher } from '../../store/index/terms.ts';
import { inSeconds } from './rates.ts';
import * as shared from './shared-rates.ts';
import { type QuotaKey, TokenBuckets } from './token-buckets.ts';

/** Quota owner of a connection's queries: the quota keys that they are charged to. */
export interface QuotaOwner {
  readonly address: QuotaKey;
  readonly network: QuotaKey;
  /** Quota keys of the public keys that have authenticated on the connection. */
  keys: readonly QuotaKey[];
}

/**
 * Budget left: `plenty`; `short` when the budget is used up, so that answers get short; `none` when
 * a second budget is used up as well.
 */
type QuotaState = 'plenty' | 'short' | 'none';

interface Budget {
  readonly rate: Rate;
  /** Time in which a full budget refills: with so much debt it is used up. */
  readonly milliseconds: number;
}

/** Budgets of one kind of holder, each with its bucket. */
type Budgets = readonly (readonly [bucket: number, budget: Budget])[];

/**
 * Read budgets. The cost of answers, in entries read and bytes sent, is charged to the address, its
 * network, and every key that has authenticated on the connection, after the work is done. A quota
 * owner that has used up its budget gets short answers; one in debt by a second budget is refused
 * until that is paid off.
 */
export class ReadBudget {
  readonly #clock: Clock;
  readonly #hasher: TermHasher;
  readonly #networks: TokenBuckets;
  readonly #keys: TokenBuckets;
  #address: Budgets = [];
  #network: Budgets = [];
  #key: Budgets = [];
  /** Rows that every query may read, whatever its budget. */
  readonly workMin: number;

  constructor(config: Config, { secret, networks, keys }: shared.SharedRates, clock: Clock) {
    this.#clock = clock;
    this.workMin = config.rates.query_work_min;
    this.#hasher = new TermHasher(secret);
    this.#networks = new TokenBuckets(networks, shared.NETWORK_BUCKETS);
    this.#keys = new TokenBuckets(keys, shared.KEY_BUCKETS);
    this.reconfigure(config);
  }

  reconfigure({ rates }: Config): void {
    const work = parseRate(rates.ip_work) ?? null;
    const sent = parseRate(rates.ip_sent) ?? null;
    const { subnet_factor: factor } = rates;
    this.#address = budgets([shared.WORK, work], [shared.SENT, sent]);
    this.#network = budgets(
      [shared.WORK, scaledRate(work, factor)],
      [shared.SENT, scaledRate(sent, factor)],
    );
    this.#key = budgets([shared.KEY_WORK, work], [shared.KEY_SENT, sent]);
  }

  /** Returns a quota owner. The tags are those of its quota keys (`Rates.client`). */
  quotaOwner(address: number, network: number): QuotaOwner {
    return { address: { tag: address, row: 0 }, network: { tag: network, row: 0 }, keys: [] };
  }

  keysOf(pubkeys: readonly string[]): QuotaKey[] {
    return pubkeys.map((pubkey) => ({ tag: this.#hasher.author(pubkey), row: 0 }));
  }

  charge(quotaOwner: QuotaOwner, work: number, bytes: number): void {
    const now = this.#clock.milliseconds();
    charge(this.#networks, quotaOwner.address, this.#address, work, bytes, now);
    charge(this.#networks, quotaOwner.network, this.#network, work, bytes, now);
    for (const key of quotaOwner.keys) charge(this.#keys, key, this.#key, work, bytes, now);
  }

  quotaState(quotaOwner: QuotaOwner): QuotaState {
    const owed = this.#owed(quotaOwner);
    return owed < 1 ? 'plenty' : owed < 2 ? 'short' : 'none';
  }

  /** Returns the refusal for a quota owner without budget. */
  refusal(quotaOwner: QuotaOwner): Refusal {
    const wait = this.#wait(quotaOwner);
    return `rate-limited: your queries exceeded the read budget of this relay; try again ${inSeconds(wait)}`;
  }

  /** Returns the debt in budgets, of the budget that is worst off. */
  #owed(quotaOwner: QuotaOwner): number {
    let worst = 0;
    this.#each(quotaOwner, (debt, { milliseconds }) => {
      worst = Math.max(worst, debt / milliseconds);
    });
    return worst;
  }

  /** Returns the milliseconds until reads are answered again, or in full. */
  #wait(quotaOwner: QuotaOwner): number {
    let longest = 0;
    this.#each(quotaOwner, (debt, { milliseconds }) => {
      longest = Math.max(
        longest,
        debt >= 2 * milliseconds ? debt - 2 * milliseconds : debt - milliseconds,
      );
    });
    return longest;
  }

  #each(quotaOwner: QuotaOwner, look: (debt: number, budget: Budget) => void): void {
    const now = this.#clock.milliseconds();
    for (const [bucket, budget] of this.#address) {
      look(this.#networks.debt(quotaOwner.address, bucket, now), budget);
    }
    for (const [bucket, budget] of this.#network) {
      look(this.#networks.debt(quotaOwner.network, bucket, now), budget);
    }
    for (const key of quotaOwner.keys) {
      for (const [bucket, budget] of this.#key) look(this.#keys.debt(key, bucket, now), budget);
    }
  }
}

function budgets(...rates: (readonly [bucket: number, rate: Rate | null])[]): Budgets {
  return rates.flatMap(([bucket, rate]) => {
    if (rate === null) return [];
    return [[bucket, { rate, milliseconds: (rate.burst * 1000) / rate.perSecond }] as const];
  });
}

function charge(
  buckets: TokenBuckets,
  quota: QuotaKey,
  budgets: Budgets,
  work: number,
  bytes: number,
  now: number,
): void {
  for (const [bucket, { rate }] of budgets) {
    const cost = bucket === shared.WORK || bucket === shared.KEY_WORK ? work : bytes;
    if (cost > 0) buckets.charge(quota, bucket, rate, cost, now);
  }
}
