import { clockText, countText, lastedText, rateText } from './format.ts';

/** Minutes in the charts. */
export const MINUTES = 60;

/** Live figures of a relay as everybody may see them: what `/figures.json` gives. */
export interface Figures {
  /** When they were taken, in milliseconds since 1970. */
  at: number;
  /** When the relay was started, in milliseconds since 1970. */
  since: number;
  /** Events stored; null while they are being counted. */
  events: number | null;
  connections: number;
  subscriptions: number;
  /** New events, and live events sent to subscriptions, a second over the last minute; null in the first seconds. */
  accepted: number | null;
  deliveries: number | null;
  /** The last hour, a value a minute, the last of them now; null before the relay was there. */
  minutes: {
    /** New events in each minute. */
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

/** A figure as it is shown: large, and a few words behind it. */
export interface Shown {
  value: string;
  unit: string;
}

/** What the figures say, in words and numbers. */
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

/** What a chart of the last hour shows, as a sentence for those who do not see it. */
export function chartSentence(name: ChartName, { at, minutes }: Figures): string {
  const values = minutes[name].filter((value) => value !== null);
  const what = name === 'events' ? 'new events a minute' : 'connections';
  const last = values.at(-1);
  if (last === undefined) return `No ${what} to show yet; the chart begins in some seconds.`;
  const begun = clockText(at - values.length * 60_000);
  const range = `between ${countText(Math.min(...values))} and ${countText(Math.max(...values))}`;
  return `Since ${begun} UTC ${range} ${what}, now ${countText(last)}.`;
}
