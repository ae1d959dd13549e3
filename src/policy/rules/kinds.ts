// Write rule for allowed and denied kinds.

import type { AccessLists } from '../../access/lists.ts';
import type { Config } from '../../config/options.ts';
import { KindSet } from '../../protocol/kind-set.ts';
import type { WriteRule } from '../rule.ts';

/**
 * Returns the rule for kinds that may be written: all but the denied, or only the allowed that are
 * not denied. A kind that the list `kind` allows passes whatever the configuration says.
 */
export function kindsRule({ policy }: Config, lists: AccessLists): WriteRule | null {
  const allowed = new KindSet(policy.kinds_allowed);
  const denied = new KindSet(policy.kinds_denied);
  if (allowed.isEmpty && denied.isEmpty) return null;
  return {
    name: 'kinds',
    stage: 'claimed',
    check: ({ event: { kind }, now }) =>
      (denied.has(kind) || !(allowed.isEmpty || allowed.has(kind))) &&
      lists.stance('kind', String(kind), now) !== 'allow'
        ? `blocked: this relay does not accept events of kind ${kind}`
        : null,
  };
}
