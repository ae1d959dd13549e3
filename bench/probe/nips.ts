// Probes of single NIPs.

import type { Asker } from '../client/asker.ts';
import { sleep } from '../load/driver.ts';
import {
  ANSWER_MILLISECONDS,
  type Finding,
  messageOf,
  no,
  type ProbeContext,
  seconds,
  unknown,
  yes,
} from './context.ts';

/** Probe of a NIP that is visible to clients. */
interface NipProbe {
  readonly nip: number;
  readonly title: string;
  readonly run: (context: ProbeContext, asker: Asker) => Promise<Finding>;
}

/** Time until the event of the NIP-40 probe expires, in seconds; the probe waits 1.2 s longer. */
const EXPIRES_SECONDS = 2;

/** Probes that need no rights, by number of the NIP. */
export const nipProbes: readonly NipProbe[] = [
  { nip: 1, title: 'events, filters, live', run: basics },
  { nip: 9, title: 'deletion', run: deletion },
  { nip: 40, title: 'expiration', run: expiration },
  { nip: 42, title: 'authentication', run: authentication },
  { nip: 45, title: 'COUNT', run: counting },
  { nip: 50, title: 'search', run: searching },
  { nip: 62, title: 'request to vanish', run: vanishing },
  { nip: 67, title: 'EOSE hints', run: hints },
  { nip: 70, title: 'protected events', run: protectedEvents },
  { nip: 77, title: 'negentropy', run: negentropy },
];

async function basics(context: ProbeContext, asker: Asker): Promise<Finding> {
  const topic = `probe${context.key.pubkey.slice(0, 12)}`;
  const listener = await context.connect();
  listener.send(['REQ', 'live', { '#t': [topic], limit: 0 }]);
  await messageOf(listener, ['EOSE', 'CLOSED'], 'live');
  const delivered = messageOf(listener, ['EVENT'], 'live');
  const event = context.event({ tags: [['t', topic]] });
  const published = await context.publish(asker, event);
  if (!published.accepted) return unknown(`it refuses events of unknown keys: ${published.reason}`);
  const faults: string[] = [];
  if ((await delivered) === undefined) faults.push('no live delivery');
  const filters = [{ ids: [event.id] }, { authors: [event.pubkey], kinds: [1] }, { '#t': [topic] }];
  for (const filter of filters) {
    const { events } = await asker.query([filter]);
    if (events.some(({ id }) => id === event.id)) continue;
    faults.push(`not found by ${Object.keys(filter).join(' and ')}`);
  }
  const forged = { ...context.event({ content: 'forged' }), sig: event.sig };
  if ((await asker.publish(forged))[2] !== false) faults.push('a wrong signature is accepted');
  const again = await asker.publish(event);
  if (again[2] !== true) faults.push('a duplicate is not answered with true');
  const older = context.event({ kind: 10_000 + 999, createdAt: seconds() - 10 });
  const newer = context.event({ kind: 10_000 + 999 });
  await context.publish(asker, newer);
  await asker.publish(older);
  const { events } = await asker.query([{ authors: [newer.pubkey], kinds: [newer.kind] }]);
  if (events.length !== 1 || events[0]?.id !== newer.id) faults.push('an old version is stored');
  return faults.length === 0
    ? yes('stored, found, delivered, forgery refused')
    : no(faults.join(', '));
}

async function deletion(context: ProbeContext, asker: Asker): Promise<Finding> {
  const event = context.event({ content: 'to be deleted' });
  const { accepted, reason } = await context.publish(asker, event);
  if (!accepted) return unknown(reason);
  const request = context.event({ kind: 5, tags: [['e', event.id]], content: '' });
  const answer = await context.publish(asker, request);
  if (!answer.accepted) return no(`the request was refused: ${answer.reason}`);
  const { events } = await asker.query([{ ids: [event.id] }]);
  if (events.length > 0) return no('the event is still stored');
  const again = await context.publish(asker, event);
  return again.accepted
    ? no('deleted, but accepted again')
    : yes('deleted, and refused afterwards');
}

async function expiration(context: ProbeContext, asker: Asker): Promise<Finding> {
  const at = (from: number) => [['expiration', String(seconds() + from)]];
  const past = await context.publish(asker, context.event({ tags: at(-60), content: 'late' }));
  const soon = context.event({ tags: at(EXPIRES_SECONDS), content: 'soon gone' });
  const { accepted, reason } = await context.publish(asker, soon);
  if (!accepted) return unknown(reason);
  await sleep((EXPIRES_SECONDS + 1.2) * 1000);
  const { events } = await asker.query([{ ids: [soon.id] }]);
  if (events.length > 0) return no('an expired event is still sent');
  return past.accepted
    ? yes('not sent any more; accepted although expired')
    : yes('not sent, not accepted');
}

/** Returns the challenge of the relay; publishes a protected event to get one if none has come. */
async function challengeOf(context: ProbeContext, asker: Asker): Promise<string | undefined> {
  const sent = () => asker.log.find(([verb]) => verb === 'AUTH')?.[1];
  if (sent() === undefined) {
    asker.send(['EVENT', context.event({ tags: [['-']], content: 'protected' })]);
    await messageOf(asker, ['AUTH', 'OK']);
  }
  if (sent() === undefined) await sleep(200);
  const challenge = sent();
  return typeof challenge === 'string' ? challenge : undefined;
}

async function authenticate(context: ProbeContext, asker: Asker, challenge: string) {
  const event = context.event({
    kind: 22_242,
    tags: [
      ['relay', context.target.url],
      ['challenge', challenge],
    ],
    content: '',
  });
  const answer = messageOf(asker, ['OK'], event.id);
  asker.send(['AUTH', event]);
  return answer;
}

async function authentication(context: ProbeContext): Promise<Finding> {
  const asker = await context.connect();
  await sleep(100);
  const atConnect = asker.log.some(([verb]) => verb === 'AUTH');
  const challenge = await challengeOf(context, asker);
  if (challenge === undefined) return no('no challenge received');
  const answer = await authenticate(context, asker, challenge);
  if (answer === undefined) return no('AUTH is not answered');
  const when = atConnect ? 'challenge at connect' : 'challenge when needed';
  return answer[2] === true ? yes(when) : no(`${when}, but AUTH is refused: ${String(answer[3])}`);
}

async function counting(context: ProbeContext, asker: Asker): Promise<Finding> {
  const event = context.event({ content: 'to be counted', tags: [['t', 'probecount']] });
  const { accepted } = await context.publish(asker, event);
  asker.send(['COUNT', 'count', { authors: [event.pubkey], '#t': ['probecount'] }]);
  const answer = await messageOf(asker, ['COUNT', 'CLOSED', 'NOTICE']);
  if (answer === undefined) return no('no answer');
  if (answer[0] !== 'COUNT') return no(`${answer[0]}: ${String(answer.at(-1))}`);
  const { count } = answer[2] as { count?: unknown };
  if (typeof count !== 'number') return no('the answer has no count');
  return accepted && count !== 1
    ? no(`it counts ${count} instead of 1`)
    : yes(`it counts ${count}`);
}

async function searching(context: ProbeContext, asker: Asker): Promise<Finding> {
  const word = `zebra${context.key.pubkey.slice(0, 8)}`;
  const event = context.event({ content: `the ${word} runs` });
  const { accepted, reason } = await context.publish(asker, event);
  if (!accepted) return unknown(reason);
  const other = context.event({ content: 'another text' });
  await context.publish(asker, other);
  // A search index may lag.
  for (let tries = 0; tries < 3; tries++) {
    const { events, end } = await asker.query([{ search: word, authors: [event.pubkey] }]);
    if (end[0] === 'CLOSED') return no(String(end[2]));
    if (events.some(({ id }) => id === other.id)) return no('the word is ignored');
    if (events.some(({ id }) => id === event.id)) return yes('a word is found');
    await sleep(500);
  }
  return no('a word is not found');
}

async function vanishing(context: ProbeContext, asker: Asker): Promise<Finding> {
  const key = context.newKey();
  const event = context.event({ content: 'to vanish' }, key);
  const { accepted, reason } = await context.publish(asker, event);
  if (!accepted) return unknown(reason);
  const request = context.event(
    {
      kind: 62,
      tags: [
        ['relay', context.target.url],
        ['relay', 'ALL_RELAYS'],
      ],
      content: '',
    },
    key,
  );
  const answer = await context.publish(asker, request);
  const { events } = await asker.query([{ ids: [event.id] }]);
  if (events.length === 0) return yes('all events of the key are removed');
  return no(answer.accepted ? 'accepted, but no events are removed' : answer.reason);
}

async function hints(_context: ProbeContext, asker: Asker): Promise<Finding> {
  const { end } = await asker.query([{ ids: ['0'.repeat(64)] }]);
  const hint = end[2];
  return Array.isArray(hint) ? yes(`EOSE says ${hint.join(', ')}`) : no('EOSE has no hint');
}

async function protectedEvents(context: ProbeContext): Promise<Finding> {
  const asker = await context.connect();
  const event = context.event({ tags: [['-']], content: 'protected' });
  const answer = await asker.publish(event);
  if (answer[2] === true)
    return no('a client without authentication may publish a protected event');
  const challenge = await challengeOf(context, asker);
  if (challenge === undefined) return yes(`refused: ${String(answer[3])}`);
  await authenticate(context, asker, challenge);
  const { accepted } = await context.publish(asker, event);
  return yes(accepted ? 'refused, and accepted from its author' : 'refused, from its author too');
}

async function negentropy(_context: ProbeContext, asker: Asker): Promise<Finding> {
  // Version 1, one range up to infinity, with an empty list of own ids.
  asker.send(['NEG-OPEN', 'neg', { ids: ['0'.repeat(64)] }, '6100000200']);
  const answer = await messageOf(asker, ['NEG-MSG', 'NEG-ERR', 'NOTICE', 'CLOSED']);
  asker.send(['NEG-CLOSE', 'neg']);
  if (answer === undefined) return no(`no answer within ${ANSWER_MILLISECONDS / 1000} s`);
  if (answer[0] === 'NEG-MSG') {
    return String(answer[2]).startsWith('61') ? yes('it reconciles') : no('another version');
  }
  return no(`${answer[0]}: ${String(answer.at(-1))}`);
}
