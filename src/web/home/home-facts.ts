// Facts that the public page is made from.

import type { Figures } from '../browser/figures.ts';
import type { RuleFacts } from './writing.ts';

/** Data of the public page. */
export interface HomeFacts extends RuleFacts {
  /** Address of the relay's icon. */
  readonly icon: string;
  /** Own public key of the relay in hex, or ''. */
  readonly self: string;
  /** Live figures; null if they are not public. */
  readonly figures: Figures | null;
}
