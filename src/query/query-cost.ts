// Cost of one query, charged to its quota owner.

import type { QuotaOwner, ReadBudget } from '../policy/rates/read-budget.ts';
import type { Refusal } from '../protocol/refusal.ts';

/**
 * Cost of one query in rows and bytes, and the quota owner that it is charged to. It is charged in
 * parts, while the query goes on.
 */
export class QueryCost {
  /** Bytes sent so far. */
  bytes = 0;
  readonly #budget: ReadBudget;
  readonly #quotaOwner: QuotaOwner;
  #rowsCharged = 0;
  #bytesCharged = 0;

  constructor(budget: ReadBudget, quotaOwner: QuotaOwner) {
    this.#budget = budget;
    this.#quotaOwner = quotaOwner;
  }

  /** Charges rows and bytes since the last charge; `rows` is the total that the query has read. */
  settle(rows: number): void {
    if (rows === this.#rowsCharged && this.bytes === this.#bytesCharged) return;
    this.#budget.charge(
      this.#quotaOwner,
      rows - this.#rowsCharged,
      this.bytes - this.#bytesCharged,
    );
    this.#rowsCharged = rows;
    this.#bytesCharged = this.bytes;
  }

  /** Returns true if the query has read its minimum and its quota owner has no budget left. */
  isShort(rows: number): boolean {
    this.settle(rows);
    return rows >= this.#budget.workMin && this.#budget.quotaState(this.#quotaOwner) !== 'plenty';
  }

  /** Returns true if the debt of the quota owner is too large even for a short answer. */
  isRefused(rows: number): boolean {
    this.settle(rows);
    return this.#budget.quotaState(this.#quotaOwner) === 'none';
  }

  get refusal(): Refusal {
    return this.#budget.refusal(this.#quotaOwner);
  }
}
