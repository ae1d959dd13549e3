// View of the relay's live state: health, key figures, charts and tables.

import type { Dashboard } from '../../../api/dashboard.ts';
import { Chart, type ChartOptions } from '../chart.ts';
import type { Context, View } from '../context.ts';
import { choiceField } from '../fields.ts';
import { bytes, count, figure, latency, moment, percent, span } from '../format.ts';
import { liveStatus } from '../live-status.ts';
import { progress } from '../load.ts';
import { fill, make } from '../make.ts';
import { card, facts } from '../parts.ts';
import { LatencyTable, QueueTable, RefusalTable, ThreadTable } from './overview-tables.ts';

const perSecond = (value: number) => `${figure(value)}/s`;

const CHARTS: readonly ChartOptions[] = [
  {
    title: 'Connections',
    lines: [
      { series: 'connections', name: 'open' },
      { series: 'subscriptions', name: 'subscriptions' },
    ],
    text: (value) => count(value),
    least: 10,
  },
  {
    title: 'Events',
    lines: [
      { series: 'accepted', name: 'accepted' },
      { series: 'refused', name: 'refused' },
    ],
    text: perSecond,
    least: 1,
  },
  {
    title: 'Queries',
    lines: [
      { series: 'queries', name: 'REQ' },
      { series: 'storedSent', name: 'events sent' },
    ],
    text: perSecond,
    least: 1,
  },
  {
    title: 'Deliveries',
    lines: [{ series: 'deliveries', name: 'live events sent' }],
    text: perSecond,
    least: 1,
  },
  {
    title: 'Publish latency (EVENT to OK)',
    lines: [
      { series: 'okP50', name: 'p50' },
      { series: 'okP99', name: 'p99' },
    ],
    text: latency,
    least: 0.01,
  },
  {
    title: 'Query latency (REQ to EOSE)',
    lines: [
      { series: 'eoseP50', name: 'p50' },
      { series: 'eoseP99', name: 'p99' },
    ],
    text: latency,
    least: 0.01,
  },
  {
    title: 'CPU usage (cores)',
    lines: [{ series: 'cpu', name: 'cores' }],
    text: figure,
    least: 1,
  },
  {
    title: 'Delivery and commit latency, p99',
    lines: [
      { series: 'liveP99', name: 'live delivery' },
      { series: 'commitP99', name: 'commit' },
    ],
    text: latency,
    least: 0.01,
  },
  { title: 'Memory', lines: [{ series: 'memory', name: 'resident' }], text: bytes, least: 1e8 },
  {
    title: 'Event loop lag',
    lines: [{ series: 'lag', name: 'p99, worst thread' }],
    text: latency,
    least: 0.05,
  },
  {
    title: 'Traffic',
    lines: [
      { series: 'bytesIn', name: 'received' },
      { series: 'bytesOut', name: 'sent' },
    ],
    text: (value) => `${bytes(value)}/s`,
    least: 1000,
  },
  {
    title: 'Database',
    lines: [{ series: 'database', name: 'size' }],
    text: bytes,
    least: 1e6,
  },
];

export const overview: View = {
  name: 'overview',
  title: 'Overview',
  group: 'Watch',
  method: 'dashboard',
  open: (context) => {
    const { feed, left } = context;
    const content = make('div', { class: 'stack wide' }, progress('Loading figures…'));
    const status = liveStatus(feed.poller, left, [content]);
    const seconds = choiceField(
      'Time range',
      [
        ['300', 'last 5 minutes'],
        ['900', 'last 15 minutes'],
        ['3600', 'last hour'],
      ],
      '900',
    );
    seconds.place.classList.add('inline');
    const page = new Page(context);
    const draw = () => page.draw(Number(seconds.input.value));
    seconds.input.addEventListener('change', draw);
    let shown = false;
    feed.watch(
      (dashboard) => {
        page.show(dashboard);
        if (!shown) {
          fill(content, ...page.parts);
          shown = true;
        }
        draw();
      },
      left,
      true,
    );
    return [make('div', { class: 'toolbar' }, status, seconds.place), content];
  },
};

/** Elements of the overview, made once and filled with every answer. */
class Page {
  readonly parts: readonly HTMLElement[];
  readonly #health = make('div', { class: 'notice' });
  readonly #identityAdvice = make('div', { class: 'notice warning', hidden: true });
  readonly #proxyAdvice = make('div', { class: 'notice warning', hidden: true });
  readonly #figures = make('dl', { class: 'figures' });
  readonly #storage = make('div');
  readonly #latencies = new LatencyTable();
  readonly #queues = new QueueTable();
  readonly #threads = new ThreadTable();
  readonly #refusals = new RefusalTable();
  readonly #charts: readonly Chart[];

  constructor({ feed, left }: Context) {
    this.#charts = CHARTS.map((options) => new Chart(options, feed, left));
    this.parts = [
      this.#health,
      this.#identityAdvice,
      this.#proxyAdvice,
      make('section', { class: 'card', 'aria-label': 'Key figures' }, this.#figures),
      make('div', { class: 'charts' }, ...this.#charts.map(({ place }) => place)),
      make(
        'div',
        { class: 'pairs' },
        make('div', { class: 'stack wide' }, card('Latencies', this.#latencies.frame)),
        make(
          'div',
          { class: 'stack wide' },
          card('Threads', this.#threads.frame),
          card('Queues', this.#queues.frame),
          card('Database', this.#storage),
          card('Refused and limited', this.#refusals.frame),
        ),
      ),
    ];
  }

  draw(seconds: number): void {
    for (const chart of this.#charts) chart.draw(seconds);
  }

  show(dashboard: Dashboard): void {
    this.#showHealth(dashboard);
    showAdvice(this.#identityAdvice, 'Configuration: ', dashboard.identityAdvice);
    showAdvice(this.#proxyAdvice, 'Proxy configuration: ', dashboard.proxyAdvice);
    fill(this.#figures, ...keyFigures(dashboard).map(keyFigure));
    fill(this.#storage, storageFacts(dashboard));
    this.#latencies.show(dashboard.latencies);
    this.#queues.show(dashboard.queues);
    this.#threads.show(dashboard.threads);
    this.#refusals.show(dashboard);
  }

  #showHealth({ health, process, at }: Dashboard): void {
    this.#health.className = `notice ${health.healthy ? 'good' : 'bad'}`;
    const up = span(Math.max(0, at / 1000 - process.startedAt));
    fill(
      this.#health,
      make('b', null, health.healthy ? 'Healthy.' : `Not healthy: ${health.reason}.`),
      ` wok ${process.version} up for ${up}, `,
      make('span', { class: 'nowrap' }, `since ${moment(process.startedAt)}`),
      ` (process ${process.pid}, Node.js ${process.node}).`,
    );
  }
}

function showAdvice(place: HTMLElement, head: string, advice: string | null): void {
  place.hidden = advice === null;
  if (advice !== null) fill(place, make('b', null, head), `${advice}.`);
}

type KeyFigure = readonly [name: string, value: string, small: string];

function keyFigure([name, value, small]: KeyFigure): HTMLElement {
  return make(
    'div',
    null,
    make('dt', null, name),
    make('dd', null, value, small !== '' && make('small', null, ` ${small}`)),
  );
}

function keyFigures({ connections, rates, latencies, process, ...rest }: Dashboard): KeyFigure[] {
  const p99 = (name: string) => latency(latencies.find((one) => one.name === name)?.p99 ?? null);
  const accepted = (rates.events.stored ?? 0) + (rates.events.passed ?? 0);
  const refused = (rates.events.refused ?? 0) + (rates.events.failed ?? 0);
  return [
    ['Connections', count(connections.open), `of ${count(connections.max)}`],
    ['Subscriptions', count(rest.subscriptions), ''],
    ['Events accepted', figure(accepted), '/s'],
    ['Events refused', figure(refused), '/s'],
    ['REQ', figure(rates.received.REQ ?? 0), '/s'],
    ['Deliveries', figure(rates.deliveries), '/s'],
    ['Publish latency, p99', p99('ok'), ''],
    ['Query latency, p99', p99('eose'), ''],
    ['Received', bytes(rates.receivedBytes), '/s'],
    ['Sent', bytes(rates.sentBytes), '/s'],
    ['CPU cores in use', figure(process.cpu), `of ${process.cores}`],
    ['Memory', bytes(process.residentBytes), ''],
    [
      'Open files',
      count(process.openFiles),
      process.openFilesMax > 0 ? `of ${count(process.openFilesMax)}` : '',
    ],
    ['Slow queries', figure(rates.slowQueries), '/s'],
    ['Reports', count(rest.waiting.reported), 'waiting'],
    ['In quarantine', count(rest.waiting.quarantined), ''],
  ];
}

function storageFacts({ storage }: Dashboard): HTMLElement {
  const free = storage.databaseBytes > 0 ? storage.freeBytes / storage.databaseBytes : 0;
  const behind = storage.head - storage.indexed;
  return facts([
    ['Database', bytes(storage.databaseBytes)],
    ['Free pages', `${bytes(storage.freeBytes)} (${percent(free)})`],
    ['Write-ahead log', bytes(storage.walBytes)],
    ['Free disk space', bytes(storage.diskFreeBytes)],
    ['Log head (seq)', count(storage.head)],
    ['Index', behind <= 0 ? 'up to date' : `${count(behind)} events behind, kept in memory`],
  ]);
}
