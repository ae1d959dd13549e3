// View of the relays that events are exchanged with.

import type { PeerCounts, PeerStatus } from '../../../api/peers.ts';
import type { View } from '../context.ts';
import { amount, bytes, count, span } from '../format.ts';
import { liveStatus } from '../live-status.ts';
import { progress } from '../load.ts';
import { fill, make } from '../make.ts';
import { badge, card, facts, when } from '../parts.ts';
import { Poller } from '../poller.ts';

const MILLISECONDS = 2_000;

/** States of the relays of [[peers]]. */
export const peers: View = {
  name: 'peers',
  title: 'Peers',
  group: 'Run',
  method: 'peers',
  open: (context) => {
    const content = make('div', { class: 'stack' }, progress('Loading…'));
    const poller = new Poller(
      async (leaving) => {
        const found = await context.call('peers', {}, leaving);
        fill(content, ...(found.length === 0 ? [none()] : found.map(peerCard)));
      },
      () => MILLISECONDS,
      context.left,
    );
    return [liveStatus(poller, context.left, [content]), content];
  },
};

function none(): HTMLElement {
  const text =
    'This relay exchanges events with no other one. Write [[peers]] into relay.conf, and reload it.';
  return make('p', { class: 'empty' }, text);
}

const STATES = {
  live: ['live', 'good'],
  connecting: ['connecting', 'warning'],
  waiting: ['not reached', 'bad'],
} as const;

const DIRECTIONS = {
  down: 'fetched from there',
  up: 'sent there',
  both: 'fetched from there and sent there',
} as const;

function peerCard(peer: PeerStatus): HTMLElement {
  const [text, kind] = STATES[peer.state];
  const { direction, failure, state, comparedAt, missingHere, missingThere } = peer;
  const compared =
    comparedAt === null
      ? 'not yet'
      : make(
          'span',
          null,
          when(comparedAt),
          `: ${amount(missingHere, 'event')} were missing here, ${count(missingThere)} there`,
        );
  return card(
    peer.name,
    make('div', { class: 'row' }, badge(text, kind), make('code', null, peer.url)),
    state === 'waiting' && failure !== '' && make('p', { class: 'notice bad' }, failure),
    facts([
      ['Events are', DIRECTIONS[direction]],
      ['In this state since', when(peer.since)],
      ['Behind by', peer.lagSeconds === 0 ? 'nothing' : span(peer.lagSeconds)],
      ['Compared', compared],
      ...(direction === 'up' ? [] : [['Fetched', counts(peer.down)] as const]),
      ...(direction === 'down' ? [] : [['Sent', counts(peer.up)] as const]),
    ]),
    ...(direction === 'up' ? [] : [refusals('Refused here', peer.down)]),
    ...(direction === 'down' ? [] : [refusals('Refused there', peer.up)]),
  );
}

function counts({ stored, known, refused, bytes: size }: PeerCounts): string {
  return `${amount(stored, 'event')} stored, ${count(known)} there already, ${count(refused)} refused, ${bytes(size)}`;
}

function refusals(title: string, { reasons }: PeerCounts): HTMLElement | false {
  if (reasons.length === 0) return false;
  const items = reasons.map(([reason, times]) => make('li', null, `${count(times)} × ${reason}`));
  return make(
    'details',
    null,
    make('summary', null, title),
    make('ul', { class: 'small' }, ...items),
  );
}
