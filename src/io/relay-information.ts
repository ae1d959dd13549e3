// Relay information document (NIP-11).

import { asksForPayment } from '../access/access-rules.ts';
import { type Config, MESSAGE_FRAME_BYTES } from '../config/options.ts';
import { accepts } from '../lib/encoded.ts';
import { SOFTWARE, version } from '../paths.ts';
import { restrictsWrites } from '../policy/write-policy.ts';
import { supportedNips } from '../web/supported-nips.ts';

/** Returns the relay information document (NIP-11), computed from the running configuration. */
export function relayInformation(config: Config, self = ''): string {
  const { info, limits, policy } = config;
  const described = {
    name: info.name,
    description: info.description,
    banner: info.banner,
    icon: info.icon || ownIcon(config),
    pubkey: info.pubkey,
    self,
    contact: info.contact,
    privacy_policy: info.privacy_policy,
    terms_of_service: info.terms_of_service,
  };
  const given = Object.entries(described).filter(([, value]) => value !== '');
  const { created_at_past_seconds_max: past, created_at_future_seconds_max: future } = limits;
  return JSON.stringify({
    ...Object.fromEntries(given),
    supported_nips: supportedNips(config),
    software: SOFTWARE,
    version,
    ...payments(config),
    limitation: {
      // No field tells the limit of an event: who keeps to this one is accepted with an event too.
      max_message_length: Math.min(
        limits.message_bytes_max,
        limits.event_bytes_max + MESSAGE_FRAME_BYTES,
      ),
      max_subscriptions: limits.subscriptions_max,
      max_filters: limits.filters_max,
      max_in_flight_bytes: limits.in_flight_bytes_max,
      max_limit: limits.limit_max,
      default_limit: limits.limit_default,
      max_subid_length: limits.subscription_id_length_max,
      max_event_tags: limits.tags_max,
      max_content_length: limits.content_length_max,
      ...(policy.pow_min > 0 && { min_pow_difficulty: policy.pow_min }),
      ...(past > 0 && { created_at_lower_limit: past }),
      ...(future > 0 && { created_at_upper_limit: future }),
      auth_required: config.auth.required === 'all',
      payment_required: asksForPayment(config.admission),
      restricted_writes: restrictsWrites(config),
    },
  });
}

/** Returns the URL of the configured icon; '' if there is none or the relay's URL is unknown. */
function ownIcon({ identity, pages }: Config): string {
  const [url] = identity.urls;
  if (pages.icon_file === '' || url === undefined) return '';
  const { protocol, host } = new URL(url);
  return `${protocol === 'wss:' ? 'https:' : 'http:'}//${host}/icon`;
}

/** Returns the payment page and the fees (NIP-11 `payments_url`, `fees`). */
function payments({ admission }: Config): object {
  const { payments_url: url, fee_msats: fee, subscription_msats: subscription } = admission;
  if (!asksForPayment(admission)) return {};
  const period = admission.subscription_days * 86_400;
  const fees = {
    ...(fee > 0 && { admission: [{ amount: fee, unit: 'msats' }] }),
    ...(subscription > 0 && { subscription: [{ amount: subscription, unit: 'msats', period }] }),
  };
  return {
    ...(url !== '' && { payments_url: url }),
    ...(Object.keys(fees).length > 0 && { fees }),
  };
}

/**
 * Returns true if an Accept header asks for the document: its media type is anywhere in the list,
 * with any parameters, and is not refused by q=0.
 */
export function acceptsNostrJson(accept: string): boolean {
  return accepts(accept, 'application/nostr+json');
}
