// Public home page of the relay and its live figures, made on request of io.

import type { Config } from '../config/options.ts';
import { encode } from '../lib/encoded.ts';
import type { PageAnswer, PageRequest } from '../messages/admin-io.ts';
import { cellOf } from '../metrics/layout.ts';
import { workerCells } from '../metrics/meter.ts';
import { Assets } from '../web/assets.ts';
import type { Figures } from '../web/browser/figures.ts';
import { MINUTES } from '../web/browser/figures.ts';
import { homePage } from '../web/home/home.ts';
import type { AdminReads } from './context.ts';
import { infoChanges } from './info.ts';
import { type History, SAMPLE_SECONDS, type SeriesName } from './metrics/history.ts';

const CONNECTIONS = cellOf('wok_connections');
const SUBSCRIPTIONS = cellOf('wok_subscriptions');

const MINUTE = 60_000;
/** Number of samples in a minute: rates are means of the last minute. */
const SAMPLES_A_MINUTE = MINUTE / 1000 / SAMPLE_SECONDS;

/** Renders the public page and its figures as of now. */
export function makePublicPage(context: AdminReads, { icon }: PageRequest): PageAnswer {
  const config = describedConfig(context);
  const kindsDisallowed = context.lists
    .entries('kind')
    .filter(({ stance }) => stance === 'ban')
    .map(({ subject }) => subject);
  const figures = config.pages.figures ? publicFigures(context, Date.now()) : null;
  const { self } = context.membership;
  const page = homePage({ config, icon, self, figures, kindsDisallowed }, Assets.load());
  return { html: encode(page), figures: encode(JSON.stringify(figures)) };
}

/** Returns the configuration with the relay description as changed at runtime. */
function describedConfig({ config, db }: AdminReads): Config {
  const { self: _, ...changes } = infoChanges(db);
  return { ...config, info: { ...config.info, ...changes } };
}

/** Returns the public live figures; `now` in milliseconds since 1970. */
function publicFigures({ metrics, history, eventCount }: AdminReads, now: number): Figures {
  const io = metrics.workers.findIndex(({ station }) => station === 'io');
  const cells = workerCells(metrics, io);
  return {
    at: now,
    since: Math.round(now - process.uptime() * 1000),
    events: eventCount.read(),
    connections: cells[CONNECTIONS]!,
    subscriptions: cells[SUBSCRIPTIONS]!,
    accepted: mean(history.read(['accepted'], SAMPLES_A_MINUTE).series.accepted!),
    deliveries: mean(history.read(['deliveries'], SAMPLES_A_MINUTE).series.deliveries!),
    minutes: {
      events: byMinute(history, 'accepted', now).map((rate) => (rate === null ? null : rate * 60)),
      connections: byMinute(history, 'connections', now),
    },
  };
}

/** Returns the mean of a series in each of the last minutes, oldest first; null without samples. */
function byMinute(history: History, name: SeriesName, now: number): (number | null)[] {
  const { at, series } = history.read([name]);
  const minutes: number[][] = Array.from({ length: MINUTES }, () => []);
  at.forEach((seconds, i) => {
    const age = Math.floor((now - seconds * 1000) / MINUTE);
    const value = series[name]![i];
    if (value !== null && value !== undefined && age < MINUTES) {
      minutes[MINUTES - 1 - Math.max(0, age)]!.push(value);
    }
  });
  return minutes.map(mean);
}

function mean(values: readonly (number | null)[]): number | null {
  const there = values.filter((value) => value !== null);
  if (there.length === 0) return null;
  const value = there.reduce((sum, one) => sum + one, 0) / there.length;
  return Math.round(value * 1000) / 1000;
}
