// Moderation actions of the page /admin: a confirmation dialog, then the request to the relay.
// Each action resolves to true if it was carried out or is still under way at the relay.

import type { PageEvent } from '../../api/events.ts';
import type { Context } from './context.ts';
import { ask } from './dialog.ts';
import { checkField, expiryField, reasonField, textField } from './fields.ts';
import { amount } from './format.ts';
import { make } from './make.ts';
import { eventLink, person } from './parts.ts';

/** Asks for a reason and bans an event: it is removed, and rejected from then on. */
export function banEvent(context: Context, id: string): Promise<boolean> {
  const reason = reasonField();
  return ask({
    title: 'Remove this event permanently?',
    text: [
      make('p', null, 'Event ', eventLink(id)),
      make(
        'p',
        null,
        'It is removed from the database, and refused when it is published again. Reports about it leave the queue. Its author may still write.',
      ),
    ],
    action: 'Remove the event',
    danger: true,
    fields: [reason.place],
    act: async () => {
      await context.call('mod.put', {
        list: 'event',
        subject: id,
        stance: 'ban',
        reason: reason.input.value.trim(),
      });
      context.say('The event is removed and will not be accepted again.');
    },
  });
}

/** Asks for expiry and reason and bans a public key; on request also removes its stored events. */
export function banAuthor(context: Context, pubkey: string): Promise<boolean> {
  const reason = reasonField();
  const expiry = expiryField();
  const remove = checkField('Also remove all stored events of this key');
  return ask({
    title: 'Ban this key?',
    text: [
      make('p', null, person(pubkey)),
      make(
        'p',
        null,
        'From now on, events by this key are refused. Its stored events stay, unless you remove them; that cannot be undone.',
      ),
    ],
    action: 'Ban',
    danger: true,
    fields: [expiry.place, reason.place, remove.place],
    act: async () => {
      const { removed } = await context.call('mod.put', {
        list: 'pubkey',
        subject: pubkey,
        stance: 'ban',
        reason: reason.input.value.trim(),
        expiresAt: expiry.value(),
        remove: remove.input.checked,
      });
      const gone = removed === null ? '' : ` ${amount(removed, 'event')} removed.`;
      context.say(`The key is banned.${gone}`);
    },
  });
}

/** Asks for a reason and removes all events that an author has written so far. */
export function removeWritten(context: Context, pubkey: string): Promise<boolean> {
  const reason = reasonField();
  return ask({
    title: 'Remove all events of this key?',
    text: [
      make('p', null, person(pubkey)),
      make(
        'p',
        null,
        'All its events dated up to now are removed permanently and not accepted again. New events by this key are still accepted.',
      ),
    ],
    action: 'Remove all events',
    danger: true,
    fields: [reason.place],
    act: async () => {
      const { removed } = await context.call('mod.remove', {
        what: 'author',
        subject: pubkey,
        reason: reason.input.value.trim(),
      });
      context.say(removed === null ? 'Done.' : `${amount(removed, 'event')} removed.`);
    },
  });
}

/** Asks for a reason and dismisses the reports about an event or a person. */
export function dismiss(context: Context, target: string, isEvent: boolean): Promise<boolean> {
  const reason = reasonField();
  const keep = checkField('Never queue reports about this event again');
  return ask({
    title: 'Dismiss these reports?',
    text: make(
      'p',
      null,
      isEvent
        ? 'The event and its author stay as they are; the reports leave the queue.'
        : 'The key stays as it is; the reports leave the queue.',
    ),
    action: 'Dismiss',
    fields: isEvent ? [reason.place, keep.place] : [reason.place],
    act: async () => {
      const { reports } = await context.call('mod.dismiss', {
        target,
        reason: reason.input.value.trim(),
        ...(isEvent ? { keep: keep.input.checked } : {}),
      });
      context.say(`${amount(reports, 'report')} dismissed.`);
    },
  });
}

/** Asks for a reason and takes a list entry back: a ban, an allowance or a removal. */
export function takeBack(
  context: Context,
  entry: {
    list: 'pubkey' | 'author' | 'event' | 'kind' | 'ip';
    subject: string;
    stance: 'ban' | 'allow';
  },
  shown: Node,
): Promise<boolean> {
  const reason = reasonField();
  return ask({
    title: entry.stance === 'ban' ? 'End this ban?' : 'End this allowance?',
    text: [
      make('p', null, shown),
      make(
        'p',
        null,
        entry.stance === 'ban'
          ? 'It takes effect immediately. Removed events are not restored, but may be published again.'
          : 'It takes effect immediately; then the configuration alone decides.',
      ),
    ],
    action: 'End it',
    fields: [reason.place],
    act: async () => {
      const { taken } = await context.call('mod.take', {
        ...entry,
        reason: reason.input.value.trim(),
      });
      context.say(taken ? 'Ended.' : 'It was no longer on the list.');
    },
  });
}

/** Returns true if the content of an event is private by its kind (NIP-17, NIP-59, NIP-04). */
export function isPrivate({ kind }: PageEvent): boolean {
  return kind === 4 || kind === 1059 || kind === 21059;
}

/** Asks for a subject of the list (public key, event id, kind or address) and bans or allows it. */
export function putOnList(
  context: Context,
  list: 'pubkey' | 'event' | 'kind' | 'ip',
  stance: 'ban' | 'allow',
): Promise<boolean> {
  const subject = textField(SUBJECTS[list].label, { required: true }, SUBJECTS[list].hint);
  const reason = reasonField();
  const expiry = expiryField();
  const remove = checkField('Also remove all stored events of this key');
  const withRemoval = list === 'pubkey' && stance === 'ban';
  return ask({
    title: stance === 'ban' ? SUBJECTS[list].ban : SUBJECTS[list].allow,
    text: make('p', null, stance === 'ban' ? SUBJECTS[list].banned : SUBJECTS[list].allowed),
    action: stance === 'ban' ? 'Ban' : 'Allow',
    danger: stance === 'ban',
    fields: [subject.place, expiry.place, reason.place, ...(withRemoval ? [remove.place] : [])],
    act: async () => {
      const { removed } = await context.call('mod.put', {
        list,
        subject: subject.input.value.trim(),
        stance,
        reason: reason.input.value.trim(),
        expiresAt: expiry.value(),
        ...(withRemoval ? { remove: remove.input.checked } : {}),
      });
      const gone = removed === null ? '' : ` ${amount(removed, 'event')} removed.`;
      context.say(`${stance === 'ban' ? 'Banned' : 'Allowed'}.${gone}`);
    },
  });
}

const SUBJECTS = {
  pubkey: {
    label: 'Public key',
    hint: 'npub1… or 64 hex characters.',
    ban: 'Ban a public key',
    allow: 'Allow a public key',
    banned: 'From now on, events by this key are refused.',
    allowed:
      'This key may write where the configuration allows only some keys. With membership it becomes a member.',
  },
  event: {
    label: 'Event',
    hint: 'note1…, nevent1… or 64 hex characters.',
    ban: 'Ban an event',
    allow: 'Allow an event',
    banned: 'The event is removed if it is stored, and refused when it is published.',
    allowed: 'A ban of the event ends, and reports about it are not queued.',
  },
  kind: {
    label: 'Kind',
    hint: 'A number from 0 to 65535.',
    ban: 'Ban a kind',
    allow: 'Allow a kind',
    banned: 'Events of this kind are refused. Stored events stay.',
    allowed: 'Events of this kind are accepted, overriding the configured kinds.',
  },
  ip: {
    label: 'Address or network',
    hint: 'Like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48.',
    ban: 'Ban an address',
    allow: 'Allow an address',
    banned: 'Its connections are closed, and new ones are refused.',
    allowed: 'A ban of the address ends.',
  },
} as const;
