// Option rows of [rates] that are rates.

import type { StringOption } from './option-types.ts';

interface RateOption extends StringOption {
  readonly format: 'rate';
}

function rate(text: string, standard = ''): RateOption {
  return { type: 'string', default: standard, format: 'rate', reload: true, text };
}

/**
 * Option rows of [rates] that are rates, by option name: `ip` or `pubkey`, then the resource that
 * is limited.
 */
export const rateOptions = {
  'rates.ip_connections': rate('New connections per address.', '5/s burst 200'),
  'rates.ip_messages': rate('Messages of any kind from one address.', '100/s burst 3000'),
  'rates.ip_events': rate('Events per address, also those that are refused.', '30/s burst 2000'),
  'rates.ip_subscriptions': rate('REQs and COUNTs from one address.', '50/s burst 1500'),
  'rates.ip_work': rate(
    'Read budget for queries of one address, and of one authenticated key: an index entry costs 1, an event 5. Beyond it answers are cut short; beyond twice as much queries are refused.',
    '200k/s burst 20M',
  ),
  'rates.ip_sent': rate(
    'Bytes of stored events for one address, and for one authenticated key. Beyond it answers are cut short, then queries refused, as for ip_work.',
    '2MiB/s burst 256MiB',
  ),
  'rates.pubkey_events': rate(
    'Events of one author, from any connection. Only valid signatures count.',
    '10/s burst 1000',
  ),
} as const;
