// Ban of an IP address, for the view of connections.

import type { Context } from './context.ts';
import { ask } from './dialog.ts';
import { expiryField, reasonField } from './fields.ts';
import { make } from './make.ts';

/** Asks for expiry and reason and bans an address. Resolves to true if it was carried out. */
export function putAddress(context: Context, ip: string): Promise<boolean> {
  const reason = reasonField();
  const expiry = expiryField();
  return ask({
    title: 'Ban this address?',
    text: [
      make('p', null, make('code', null, ip)),
      make(
        'p',
        null,
        'Its connections are closed, and new ones are refused. Many users may share one address.',
      ),
    ],
    action: 'Ban',
    danger: true,
    fields: [expiry.place, reason.place],
    act: async () => {
      await context.call('mod.put', {
        list: 'ip',
        subject: ip,
        stance: 'ban',
        reason: reason.input.value.trim(),
        expiresAt: expiry.value(),
      });
      context.say(`${ip} is banned.`);
    },
  });
}
