// Tables of the overview, filled anew with every answer of the feed.

import type { Dashboard, Latency, Queue, ThreadFigures } from '../../../api/dashboard.ts';
import { bytes, count, figure, latency, percent } from '../format.ts';
import { fill, make } from '../make.ts';
import { badge, fullness, Numeric, row, table } from '../parts.ts';

/** Longest silence of a thread towards the supervisor that is not marked. */
const SILENT_SECONDS = 3;

const LATENCY_NAMES: Readonly<Record<string, string>> = {
  ok: 'EVENT to OK',
  live: 'EVENT to live delivery',
  eose: 'REQ to EOSE',
  count: 'COUNT',
  'wait ingester': 'wait for ingester',
  parse: 'message parsing',
  verify: 'signature',
  plugin: 'plugin',
  'wait writer': 'wait for writer',
  commit: 'commit to disk',
  'wait query': 'wait for query worker',
  'wait monitor': 'wait for monitor',
  fanout: 'fan-out',
};

const number = (name: string) => ({ name, number: true }) as const;

export class LatencyTable {
  readonly #table = table('Latencies', [
    'What',
    number('per second'),
    number('mean'),
    number('p50'),
    number('p95'),
    number('p99'),
  ]);
  readonly frame = this.#table.frame;

  show(latencies: readonly Latency[]): void {
    const rows = latencies.map(({ name, rate, mean, p50, p95, p99 }) => {
      const cells = [figure(rate), ...[mean, p50, p95, p99].map(latency)];
      const named = LATENCY_NAMES[name] ?? name.replace(/^eose by /, '– by ');
      return row(named, ...cells.map((text) => new Numeric(text)));
    });
    fill(this.#table.rows, ...rows);
  }
}

export class QueueTable {
  readonly #table = table('Queues', ['Worker', 'Fill', number('used'), number('of')]);
  readonly frame = this.#table.frame;

  show(queues: readonly Queue[]): void {
    const rows = queues.map(({ station, worker, used, max, unit }) => {
      const name = `${station} ${worker}`;
      const text = (value: number) => (unit === 'bytes' ? bytes(value) : `${count(value)} ${unit}`);
      return row(
        name,
        fullness(`Queue of ${name}`, used, max),
        new Numeric(text(used)),
        new Numeric(text(max)),
      );
    });
    fill(this.#table.rows, ...rows);
  }
}

export class ThreadTable {
  readonly #table = table('Threads', [
    'Worker',
    'Busy',
    number('share'),
    number('lag p99'),
    number('lag max'),
    number('heap'),
    number('restarts'),
  ]);
  readonly frame = this.#table.frame;

  show(threads: readonly ThreadFigures[]): void {
    const rows = threads.map(
      ({ station, worker, busy, lagP99, lagMax, heapBytes, restarts, silence }) => {
        const name = `${station} ${worker}`;
        const isSilent = silence > SILENT_SECONDS;
        return row(
          [name, isSilent && [' ', badge(`no answer for ${figure(silence)} s`, 'bad')]],
          fullness(`${name} busy`, busy, 1),
          new Numeric(percent(busy)),
          new Numeric(latency(lagP99)),
          new Numeric(latency(lagMax)),
          new Numeric(bytes(heapBytes)),
          new Numeric(count(restarts)),
        );
      },
    );
    fill(this.#table.rows, ...rows);
  }
}

/** Rejections by rule, limits met, and ended connections by cause; only rates that are not 0. */
export class RefusalTable {
  readonly #table = table('Refused and limited', ['What', 'Which', number('per second')]);
  readonly #empty = make(
    'p',
    { class: 'muted' },
    'No refusals and no limits hit in the last seconds.',
  );
  readonly frame = make('div', null, this.#table.frame, this.#empty);

  show({ rates, connections }: Dashboard): void {
    const all = [
      ...entries('event refused', rates.refusedBy),
      ...entries('limit hit', rates.limits),
      ...entries('connection closed', connections.closed),
      ...(connections.refused > 0
        ? [['connection refused', 'before the handshake', connections.refused] as const]
        : []),
    ];
    const rows = all.map(([what, which, rate]) => row(what, which, new Numeric(figure(rate))));
    fill(this.#table.rows, ...rows);
    this.#table.frame.hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
  }
}

function entries(what: string, rates: Readonly<Record<string, number>>) {
  return Object.entries(rates).map(([which, rate]) => [what, which, rate] as const);
}
