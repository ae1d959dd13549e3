import type { Attack } from '../attack/attack.ts';

/** Where a flood comes from. */
export type Origin = 'one' | 'many' | 'loopback';

/** A flood with a name. */
export interface Scenario {
  /** Short, for the command line and the table. */
  readonly name: string;
  /** What is sent, in a sentence. */
  readonly about: string;
  /** One address and fifty have the default rates, loopback has none. */
  readonly from: readonly Origin[];
  /** Stores what the flood asks for; before anything is measured. */
  readonly prepare?: (attack: Attack) => Promise<void>;
  /** Sends until `attack.isOver`. */
  readonly flood: (attack: Attack) => Promise<void>;
  /** What has to be among the counts, or the flood was none: the name of one of them. */
  readonly proof: string;
  /** Settings, as `key=value`, without which the flood would find nothing to attack. */
  readonly settings?: readonly string[];
  /** Attackers' addresses, where they are not in fifty networks. */
  readonly addresses?: (count: number) => string[];
}
