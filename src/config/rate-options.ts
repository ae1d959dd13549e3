// Option rows of [rates] that are rates.

import type { StringOption } from './option-types.ts';

interface RateOption extends StringOption {
  readonly format: 'rate';
}

function rate(text: string, standard = ''): RateOption {
  return { type: 'string', default: standard, format: 'rate', reload: true, text };
}

/**
 * Option rows of [rates] that are rates, by option name: `ip`, `subnet`, `pubkey` or `all`, then
 * the resource that is limited.
 */
export const rateOptions = {
  'rates.ip_connections': rate('New connections per address.', '5/s burst 200'),
  'rates.ip_messages': rate('Messages of any kind from one address.', '100/s burst 3000'),
  'rates.ip_bytes': rate('Bytes of messages from one address.', '1MiB/s burst 64MiB'),
  'rates.ip_events': rate('Events per address, also those that are refused.', '30/s burst 2000'),
  'rates.ip_subscriptions': rate('REQs and COUNTs from one address.', '50/s burst 1500'),
  'rates.ip_work': rate(
    'Read budget for queries of one address: an index entry costs 1, an event 5. Beyond it answers are cut short; beyond twice as much queries are refused.',
    '200k/s burst 20M',
  ),
  'rates.ip_sent': rate(
    'Bytes of stored events for one address, with the same consequences.',
    '2MiB/s burst 256MiB',
  ),
  'rates.subnet_connections': rate('New connections from one network.', '20/s burst 800'),
  'rates.subnet_messages': rate('Messages of any kind from one network.', '400/s burst 12000'),
  'rates.subnet_bytes': rate('Bytes of messages from one network.', '4MiB/s burst 256MiB'),
  'rates.subnet_events': rate('Events from one network.', '100/s burst 8000'),
  'rates.subnet_subscriptions': rate('REQs and COUNTs from one network.', '200/s burst 6000'),
  'rates.subnet_work': rate('Read budget for queries of one network.', '600k/s burst 60M'),
  'rates.subnet_sent': rate('Bytes of stored events for one network.', '8MiB/s burst 1000MiB'),
  'rates.pubkey_events': rate(
    'Events of one author, from any connection. Only valid signatures count.',
    '10/s burst 1000',
  ),
  'rates.pubkey_work': rate(
    'Read budget for queries of one authenticated key, from any connection.',
    '200k/s burst 20M',
  ),
  'rates.pubkey_sent': rate(
    'Bytes of stored events for one authenticated key, from any connection.',
    '2MiB/s burst 256MiB',
  ),
  'rates.all_connections': rate('New connections of all clients together.'),
  'rates.all_messages': rate('Messages of all clients together.'),
  'rates.all_bytes': rate('Bytes of messages of all clients together.'),
  'rates.all_events': rate('Events of all clients together.'),
  'rates.all_subscriptions': rate('REQs and COUNTs of all clients together.'),
} as const;
