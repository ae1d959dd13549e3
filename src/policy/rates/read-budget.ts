import type { Config } from '../../config/options.ts';
import { parseRate, type Rate } from '../../config/rate.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Refusal } from '../../protocol/refusal.ts';
import { TermHasher } from '../../storage/terms.ts';
import { type Account, Ledger } from './ledger.ts';
import { inSeconds } from './rates.ts';
import * as shared from './shared-rates.ts';

/** Whom the queries of a connection are charged to. */
export interface Payer {
  readonly address: Account;
  readonly network: Account;
  /** Of the keys that have authenticated on it. */
  keys: readonly Account[];
}

/** What somebody has left: `plenty`; nothing, so that answers get short; or less than that. */
export type Means = 'plenty' | 'short' | 'none';

interface Budget {
  readonly rate: Rate;
  /** The time that a full budget takes to come back: so much debt and it is used up. */
  readonly milliseconds: number;
}

/** The budgets of one kind of holder, with the bucket of each. */
type Budgets = readonly (readonly [bucket: number, budget: Budget])[];

/**
 * What answers cost, in entries read and bytes sent, charged to the address, its network, and every key
 * that has authenticated on the connection. Work is charged when it is done. Whoever has used up their
 * budget gets short answers; who goes on until they owe a second one is refused until that is paid.
 */
export class ReadBudget {
  readonly #clock: Clock;
  readonly #hasher: TermHasher;
  readonly #networks: Ledger;
  readonly #keys: Ledger;
  #address: Budgets = [];
  #network: Budgets = [];
  #key: Budgets = [];
  /** What a query may always read. */
  workMin = 0;

  constructor(config: Config, { secret, networks, keys }: shared.SharedRates, clock: Clock) {
    this.#clock = clock;
    this.#hasher = new TermHasher(secret);
    this.#networks = new Ledger(networks, shared.NETWORK_BUCKETS);
    this.#keys = new Ledger(keys, shared.KEY_BUCKETS);
    this.reconfigure(config);
  }

  reconfigure({ rates }: Config): void {
    this.#address = budgets([shared.WORK, rates.ip_work], [shared.SENT, rates.ip_sent]);
    this.#network = budgets([shared.WORK, rates.subnet_work], [shared.SENT, rates.subnet_sent]);
    this.#key = budgets([shared.KEY_WORK, rates.pubkey_work], [shared.KEY_SENT, rates.pubkey_sent]);
    this.workMin = rates.query_work_min;
  }

  /** The tags are those of the accounts (`Rates.client`). */
  payer(address: number, network: number): Payer {
    return { address: { tag: address, row: 0 }, network: { tag: network, row: 0 }, keys: [] };
  }

  keysOf(pubkeys: readonly string[]): Account[] {
    return pubkeys.map((pubkey) => ({ tag: this.#hasher.author(pubkey), row: 0 }));
  }

  charge(payer: Payer, work: number, bytes: number): void {
    const now = this.#clock.milliseconds();
    charge(this.#networks, payer.address, this.#address, work, bytes, now);
    charge(this.#networks, payer.network, this.#network, work, bytes, now);
    for (const key of payer.keys) charge(this.#keys, key, this.#key, work, bytes, now);
  }

  means(payer: Payer): Means {
    const owed = this.#owed(payer);
    return owed < 1 ? 'plenty' : owed < 2 ? 'short' : 'none';
  }

  /** What is said to somebody who has nothing left. */
  refusal(payer: Payer): Refusal {
    const wait = this.#wait(payer);
    return `rate-limited: your queries have read more than this relay allows; try again ${inSeconds(wait)}`;
  }

  /** How many times over the budget that is worst off is used up. */
  #owed(payer: Payer): number {
    let worst = 0;
    this.#each(payer, (debt, { milliseconds }) => {
      worst = Math.max(worst, debt / milliseconds);
    });
    return worst;
  }

  /** Milliseconds until something can be read again. */
  #wait(payer: Payer): number {
    let longest = 0;
    this.#each(payer, (debt, { milliseconds }) => {
      longest = Math.max(
        longest,
        debt >= 2 * milliseconds ? debt - 2 * milliseconds : debt - milliseconds,
      );
    });
    return longest;
  }

  #each(payer: Payer, look: (debt: number, budget: Budget) => void): void {
    const now = this.#clock.milliseconds();
    for (const [bucket, budget] of this.#address) {
      look(this.#networks.debt(payer.address, bucket, now), budget);
    }
    for (const [bucket, budget] of this.#network) {
      look(this.#networks.debt(payer.network, bucket, now), budget);
    }
    for (const key of payer.keys) {
      for (const [bucket, budget] of this.#key) look(this.#keys.debt(key, bucket, now), budget);
    }
  }
}

function budgets(...texts: (readonly [bucket: number, rate: string])[]): Budgets {
  return texts.flatMap(([bucket, text]) => {
    const rate = parseRate(text);
    if (rate === undefined) return [];
    return [[bucket, { rate, milliseconds: (rate.burst * 1000) / rate.perSecond }] as const];
  });
}

function charge(
  ledger: Ledger,
  account: Account,
  budgets: Budgets,
  work: number,
  bytes: number,
  now: number,
): void {
  for (const [bucket, { rate }] of budgets) {
    const cost = bucket === shared.WORK || bucket === shared.KEY_WORK ? work : bytes;
    if (cost > 0) ledger.charge(account, bucket, rate, cost, now);
  }
}
