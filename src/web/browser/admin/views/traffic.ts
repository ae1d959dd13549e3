// View of the busiest connections and of slow queries.

import type { SlowQuery, TopConnection } from '../../../api/dashboard.ts';
import { putAddress } from '../address.ts';
import type { View } from '../context.ts';
import { bytes, count, figure, span } from '../format.ts';
import { liveStatus } from '../live-status.ts';
import { progress } from '../load.ts';
import { fill, make } from '../make.ts';
import { badge, card, Numeric, row, table, when } from '../parts.ts';
import { Poller } from '../poller.ts';

const TOP_CONNECTIONS_MILLISECONDS = 2_000;
const SLOW_MILLISECONDS = 10_000;
const SLOW_LIMIT = 100;
/** Answers after which the relay has two samples of every connection, and so knows their rates. */
const ANSWERS_UNTIL_KNOWN = 3;

const number = (name: string) => ({ name, number: true }) as const;

/** Top connections of the last second and the newest slow queries, each polled on its own. */
export const traffic: View = {
  name: 'traffic',
  title: 'Traffic',
  group: 'Watch',
  method: 'connections',
  open: (context) => {
    const { call, left } = context;
    const topConnections = table('Top connections', [
      'Address',
      number('connection'),
      number('open for'),
      number('messages/s'),
      number('received/s'),
      number('sent/s'),
      number('in flight'),
      number('subscriptions'),
      'Action',
    ]);
    const topConnectionsAt = make('div', { class: 'stack' }, progress('Loading connections…'));
    const slow = table('Slow queries', [
      'When',
      'Filters',
      'Index',
      number('work'),
      number('to EOSE'),
      number('rows read'),
      number('events'),
      number('connection'),
    ]);
    slow.frame.classList.add('tall');
    const slowPlace = make('div', { class: 'stack' }, progress('Loading queries…'));

    let answers = 0;
    const topConnectionsPoller = new Poller(
      async (leaving) => {
        const found = await call('connections', {}, leaving);
        const focused = (document.activeElement as HTMLElement | null)?.dataset.connection;
        fill(
          topConnections.rows,
          ...found.map((one) => topConnectionRow(one, () => void putAddress(context, one.ip))),
        );
        fill(
          topConnectionsAt,
          found.length > 0
            ? topConnections.frame
            : ++answers < ANSWERS_UNTIL_KNOWN
              ? progress('Measuring connections…')
              : make('p', { class: 'empty' }, 'No traffic in the last second.'),
        );
        // The rows are new elements, so the focused button is focused again.
        if (focused !== undefined) {
          topConnections.rows.querySelector<HTMLElement>(`[data-connection="${focused}"]`)?.focus();
        }
      },
      () => TOP_CONNECTIONS_MILLISECONDS,
      left,
    );
    const slowPoller = new Poller(
      async (leaving) => {
        const found = await call('slow', { limit: SLOW_LIMIT }, leaving);
        fill(slow.rows, ...found.map(slowRow));
        fill(
          slowPlace,
          found.length > 0
            ? slow.frame
            : make('p', { class: 'empty' }, 'No slow queries since the start.'),
        );
      },
      () => SLOW_MILLISECONDS,
      left,
    );
    return [
      card(
        'Top connections',
        make(
          'p',
          { class: 'muted small' },
          'Connections by traffic of the last second, busiest first.',
        ),
        liveStatus(topConnectionsPoller, left, [topConnectionsAt]),
        topConnectionsAt,
      ),
      card(
        'Slow queries',
        make(
          'p',
          { class: 'muted small' },
          'The newest queries that took more work than metrics.slow_query_milliseconds, without the ids, keys and values of their filters.',
        ),
        liveStatus(slowPoller, left, [slowPlace]),
        slowPlace,
      ),
    ];
  },
};

function topConnectionRow(one: TopConnection, ban: () => void): HTMLTableRowElement {
  return row(
    make('code', null, one.ip),
    new Numeric(String(one.connection)),
    new Numeric(span(one.age)),
    new Numeric(figure(one.messages)),
    new Numeric(bytes(one.bytesIn)),
    new Numeric(bytes(one.bytesOut)),
    new Numeric(count(one.inFlight)),
    new Numeric(count(one.subscriptions)),
    make(
      'button',
      {
        type: 'button',
        class: 'small danger',
        'data-connection': one.connection,
        'aria-label': `Ban ${one.ip}`,
        onclick: ban,
      },
      'Ban…',
    ),
  );
}

function slowRow(one: SlowQuery): HTMLTableRowElement {
  return row(
    when(one.at),
    [badge(one.type), ' ', make('code', { class: 'filters' }, one.filters)],
    one.index,
    new Numeric(`${figure(one.work)} ms`),
    new Numeric(`${figure(one.total)} ms`),
    new Numeric(count(one.rows)),
    new Numeric(count(one.events)),
    new Numeric(String(one.connection)),
  );
}
