// Write rule for proof of work (NIP-13).

import type { Config } from '../../config/options.ts';
import { KindNumbers } from '../../protocol/kind-numbers.ts';
import { committedTarget, leadingZeroBits } from '../../protocol/proof-of-work.ts';
import type { WriteRule } from '../rule.ts';

/**
 * Returns the rule for proof of work (NIP-13), also by kind. The id is only claimed at this stage;
 * the hash check follows, so a forged id costs one hash.
 */
export function powRule({ policy }: Config): WriteRule | null {
  const bits = new KindNumbers(policy.pow_min, policy.pow_min_by_kind);
  if (bits.isZero) return null;
  return {
    name: 'pow',
    stage: 'claimed',
    check({ event }) {
      const wanted = bits.of(event.kind);
      if (wanted === 0) return null;
      const done = leadingZeroBits(event.id);
      if (done < wanted) return `pow: difficulty ${done} is less than ${wanted}`;
      const target = committedTarget(event);
      if (target === null) {
        return `pow: the nonce tag must name its target, ["nonce", "…", "${wanted}"] or more`;
      }
      return target < wanted ? `pow: committed target ${target} is less than ${wanted}` : null;
    },
  };
}
