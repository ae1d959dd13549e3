import type { Payer, ReadBudget } from '../policy/rates/read-budget.ts';
import type { Refusal } from '../protocol/refusal.ts';

/** What one query costs, and who pays for it. It is charged in parts, while the query goes on. */
export class Bill {
  /** Bytes sent so far. */
  bytes = 0;
  readonly #budget: ReadBudget;
  readonly #payer: Payer;
  #rowsCharged = 0;
  #bytesCharged = 0;

  constructor(budget: ReadBudget, payer: Payer) {
    this.#budget = budget;
    this.#payer = payer;
  }

  /** Charges what was read and sent since the last time; `rows` is what it has read in all. */
  settle(rows: number): void {
    if (rows === this.#rowsCharged && this.bytes === this.#bytesCharged) return;
    this.#budget.charge(this.#payer, rows - this.#rowsCharged, this.bytes - this.#bytesCharged);
    this.#rowsCharged = rows;
    this.#bytesCharged = this.bytes;
  }

  /** Whether the query has had its least and its payer has nothing left for more of it. */
  isShort(rows: number): boolean {
    this.settle(rows);
    return rows >= this.#budget.workMin && this.#budget.means(this.#payer) !== 'plenty';
  }

  /** Whether the payer owes so much that not even a short answer is left. */
  isRefused(rows: number): boolean {
    this.settle(rows);
    return this.#budget.means(this.#payer) === 'none';
  }

  get refusal(): Refusal {
    return this.#budget.refusal(this.#payer);
  }
}
