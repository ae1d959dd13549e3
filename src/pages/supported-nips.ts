import { kindsIn } from '../config/kind-range.ts';
import type { Config } from '../config/options.ts';
import { KIND_GIFT_WRAP } from '../protocol/kinds.ts';

/** The NIPs that this relay does something for; those that only clients follow are not listed. */
export function supportedNips(config: Config): number[] {
  const nips = [1, 2, 9, 11, 28, 40, 42, 65, 67, 70];
  if (kindsIn(config.auth.private_kinds).includes(KIND_GIFT_WRAP)) nips.push(17, 59);
  if (config.identity.vanish) nips.push(62);
  if (config.membership.enabled) nips.push(43);
  if (config.query.count_enabled) nips.push(45);
  if (config.nip05.required) nips.push(5);
  if (config.policy.pow_min > 0 || config.policy.pow_min_by_kind.length > 0) nips.push(13);
  const { admin, info } = config;
  if (info.pubkey !== '' || admin.pubkeys.length > 0 || admin.moderators.length > 0) nips.push(86);
  return nips.sort((a, b) => a - b);
}
