// Rules that the tables of several relays share.

import { MESSAGE_FRAME_BYTES } from '../../config/options.ts';
import { act, all, note, option, type Rule, text } from './translation.ts';

/** Rule for the public key of the administrator, which has more rights in wok than elsewhere. */
export const administrator: Rule = all(
  text('info.pubkey'),
  note(
    'in wok this key also has all rights on the page /admin and in NIP-86. Remove info.pubkey if it should only be shown.',
  ),
);

/** Rule for the header with the address of the client. */
export const clientAddressHeader: Rule = all(
  option('io.client_address_header'),
  act(
    'wok trusts the header only from the addresses in io.trusted_proxies (loopback by default). Name your proxy there if it runs elsewhere.',
  ),
);

/** Rule for a limit of messages where there is none for events: an event may fill a message. */
export const messageBytes: Rule = all(
  option('limits.message_bytes_max'),
  option('limits.event_bytes_max', (bytes: number) => bytes - MESSAGE_FRAME_BYTES),
);

/** Rule for `enabled`, `passive` or `disabled` checks of NIP-05 addresses. */
export const nip05Mode: Rule = (value, into) => {
  if (value === 'passive') {
    into.act('wok has no passive mode; events of all authors are accepted. See nip05.required.');
  } else into.set('nip05.required', value === 'enabled');
};

/** Rule for how long a NIP-05 address counts as verified. */
export const nip05Times: Rule = note('wok keeps a verified NIP-05 address for seven days.');
