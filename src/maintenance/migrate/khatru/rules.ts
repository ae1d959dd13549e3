// Rules for every field of a relay information document (NIP-11): a relay on khatru is configured
// in its Go code, and this document is what can be read of it.

import { administrator, messageBytes } from '../common-rules.ts';
import { act, isTree, note, option, type Rules, text, when } from '../translation.ts';

const COMPUTED = note('wok computes it from its configuration.');
const NOT_SHOWN = note('wok does not have this field.');

/** Rules by field of the document. */
export const khatruRules: Rules = {
  name: text('info.name'),
  description: text('info.description'),
  pubkey: administrator,
  contact: text('info.contact'),
  icon: text('info.icon'),
  banner: text('info.banner'),
  privacy_policy: text('info.privacy_policy'),
  terms_of_service: text('info.terms_of_service'),
  posting_policy: act('wok does not have this field; describe the rules in info.description.'),
  self: act(
    'wok shows the public key of its own secret key. To keep this one, name a file with its secret key in identity.secret_key_file.',
  ),
  payments_url: text('admission.payments_url'),
  'fees.admission': (value, into) => {
    const [first] = (Array.isArray(value) ? value : []).filter(isTree);
    const amount = Number(first?.amount);
    if (!(amount > 0)) {
      into.note('there is no fee.');
      return;
    }
    into.set('admission.fee_msats', first?.unit === 'sats' ? amount * 1000 : amount);
  },
  'fees.*': act('wok shows fees for admission and subscription: see [admission].'),
  supported_nips: COMPUTED,
  supported_nip_extensions: COMPUTED,
  software: COMPUTED,
  version: COMPUTED,
  retention: act('how long events are kept is set in [retention].'),
  relay_countries: NOT_SHOWN,
  language_tags: NOT_SHOWN,
  tags: NOT_SHOWN,
  attributes: NOT_SHOWN,

  'limitation.max_message_length': messageBytes,
  'limitation.max_subscriptions': option('limits.subscriptions_max'),
  'limitation.max_filters': option('limits.filters_max'),
  'limitation.max_limit': option('limits.limit_max'),
  'limitation.default_limit': option('limits.limit_default'),
  'limitation.max_subid_length': note('NIP-01 allows 64 characters.'),
  'limitation.max_event_tags': option('limits.tags_max'),
  'limitation.max_content_length': option('limits.content_length_by_kind', (length: number) => [
    `0-65535=${length}`,
  ]),
  'limitation.min_pow_difficulty': option('policy.pow_min'),
  'limitation.auth_required': option('auth.required', (isRequired: boolean) =>
    isRequired ? 'all' : 'none',
  ),
  'limitation.payment_required': when(
    (value) => value === true,
    act('let your payment service write the keys that have paid into a file: admission.files.'),
    note('it is off.'),
  ),
  'limitation.restricted_writes': when(
    (value) => value === true,
    act(
      'who may write is decided in the code of your relay: see policy.pubkeys_allowed, [trust], [membership] and docs/policy.md.',
    ),
    note('everyone may write, as in wok by default.'),
  ),
  'limitation.created_at_lower_limit': option('limits.created_at_past_seconds_max'),
  'limitation.created_at_upper_limit': option('limits.created_at_future_seconds_max'),
};
