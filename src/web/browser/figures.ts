// Live figures of `/figures.json` and their texts, for the relay and for browsers.

import { clockText, countText, lastedText, rateText } from './format.ts';

/** Number of minutes in the charts. */
export const MINUTES = 60;

/** Public live figures of a relay: the body of `/figures.json`. */
export interface Figures {
  /** Time of the measurement, in milliseconds since 1970. */
  at: number;
  /** Start time of the relay, in milliseconds since 1970. */
  since: number;
  /** Number of stored events; null while they are being counted. */
  events: number | null;
  connections: number;
  subscriptions: number;
  /**
   * New events, and live events sent to subscriptions, a second over the last minute; null in the
   * first seconds.
   */
  accepted: number | null;
  deliveries: number | null;
  /** Values of the last hour, one a minute, the last one now; null before the relay was started. */
  minutes: {
    /** Number of new events in each minute. */
    events: (number | null)[];
    connections: (number | null)[];
  };
}

export type FigureName =
  | 'events'
  | 'connections'
  | 'subscriptions'
  | 'accepted'
  | 'deliveries'
  | 'since';

/** Figure as shown: a large value and a few words after it. */
export interface Shown {
  value: string;
  unit: string;
}

/** Figures as texts, by name. */
export function shownFigures(figures: Figures): Record<FigureName, Shown> {
  const rate = (value: number | null): Shown =>
    value === null ? { value: '–', unit: 'in a moment' } : rateText(value);
  const { events, at, since } = figures;
  return {
    events:
      events === null
        ? { value: '–', unit: 'being counted' }
        : { value: countText(events), unit: '' },
    connections: { value: countText(figures.connections), unit: '' },
    subscriptions: { value: countText(figures.subscriptions), unit: '' },
    accepted: rate(figures.accepted),
    deliveries: rate(figures.deliveries),
    since: lastedText((at - since) / 1000),
  };
}

export type ChartName = keyof Figures['minutes'];

/** Sentence on a chart of the last hour, for screen readers. */
export function chartSentence(name: ChartName, { at, minutes }: Figures): string {
  const values = minutes[name].filter((value) => value !== null);
  const what = name === 'events' ? 'new events per minute' : 'connections';
  const last = values.at(-1);
  if (last === undefined) return `No ${what} to show yet; the chart begins in a few seconds.`;
  const begun = clockText(at - values.length * 60_000);
  const range = `between ${countText(Math.min(...values))} and ${countText(Math.max(...values))}`;
  return `Since ${begun} UTC ${range} ${what}, now ${countText(last)}.`;
}
