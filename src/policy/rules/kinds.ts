import type { Config } from '../../config/options.ts';
import { KindSet } from '../kind-set.ts';
import type { WriteRule } from '../rule.ts';

/** Kinds that may be written: all but the denied, or only the allowed that are not denied. */
export function kindsRule({ policy }: Config): WriteRule | null {
  const allowed = new KindSet(policy.kinds_allowed);
  const denied = new KindSet(policy.kinds_denied);
  if (allowed.isEmpty && denied.isEmpty) return null;
  return {
    name: 'kinds',
    stage: 'claimed',
    check: ({ event: { kind } }) =>
      denied.has(kind) || !(allowed.isEmpty || allowed.has(kind))
        ? `blocked: this relay takes no events of kind ${kind}`
        : null,
  };
}
