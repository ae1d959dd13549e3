// Write rule for denied authors.

import { LOADING } from '../../access/access-rules.ts';
import { KeySet } from '../../access/key-set.ts';
import type { SharedKeys } from '../../access/shared-keys.ts';
import type { Config } from '../../config/options.ts';
import type { WriteRule } from '../rule.ts';

/** Returns the rule for denied authors, of the configuration and of files. */
export function deniedKeysRule({ policy }: Config, keys: SharedKeys): WriteRule | null {
  const { pubkeys_denied: inline, pubkeys_denied_files: files } = policy;
  if (inline.length === 0 && files.length === 0) return null;
  const denied = KeySet.of(inline);
  return {
    name: 'pubkeys-denied',
    stage: 'claimed',
    check({ event: { pubkey } }) {
      const set = keys.sets.denied;
      if (denied.has(pubkey) || (files.length > 0 && set?.has(pubkey) === true)) {
        return 'blocked: this relay does not accept events of this author';
      }
      return files.length > 0 && set === null ? LOADING.refusal : null;
    },
  };
}
