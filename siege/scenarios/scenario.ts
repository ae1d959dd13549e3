// Type of a flood.

import type { Attack } from '../attack/attack.ts';

/** Origin of a flood: one address, fifty addresses, or loopback. */
export type Origin = 'one' | 'many' | 'loopback';

/** Named flood. */
export interface Scenario {
  /** Short name, for the command line and the table. */
  readonly name: string;
  /** Description of what is sent, in a sentence. */
  readonly about: string;
  /** Origins that it runs from; one address and fifty have the default rates, loopback has none. */
  readonly from: readonly Origin[];
  /** Stores the events that the flood asks for, before the measurement begins. */
  readonly prepare?: (attack: Attack) => Promise<void>;
  /** Sends until `attack.isOver`. */
  readonly flood: (attack: Attack) => Promise<void>;
  /** Name of a counter that has to be above 0, or the flood did not reach the relay. */
  readonly proof: string;
  /** Settings, as `key=value`, without which the flood would find nothing to attack. */
  readonly settings?: readonly string[];
  /** Returns the attackers' addresses, where they are not in fifty networks. */
  readonly addresses?: (count: number) => string[];
}
