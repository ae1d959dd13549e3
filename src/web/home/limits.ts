// Tables of limits on the public page.

import type { Config } from '../../config/options.ts';
import { countText } from '../browser/format.ts';
import { bytesText, durationText, rateWords } from '../words.ts';

/** Row of a table of limits; a rate has its steady value and its burst. */
export interface Limit {
  readonly what: string;
  readonly value: string;
  readonly burst?: string;
}

/** Limits of a configuration, in groups that have at least one row. */
export function limitGroups(config: Config): { title: string; rows: Limit[] }[] {
  return [
    { title: 'Events', rows: ofEvents(config) },
    { title: 'Connections and queries', rows: ofQueries(config) },
    { title: 'Rates', rows: ofRates(config) },
  ].filter(({ rows }) => rows.length > 0);
}

function ofEvents({ limits, policy }: Config): Limit[] {
  const {
    created_at_past_seconds_max: past,
    created_at_future_seconds_max: future,
    ephemeral_age_seconds_max: ephemeral,
  } = limits;
  return [
    row('A message from a client', bytesText(limits.message_bytes_max)),
    row('An event as JSON', bytesText(limits.event_bytes_max)),
    row('Characters of content', countText(limits.content_length_max)),
    row('Tags', countText(limits.tags_max)),
    row('A value that filters can ask for', bytesText(limits.tag_value_bytes_max)),
    row('Age', past === 0 ? 'no limit' : durationText(past)),
    row('Ahead of the clock', future === 0 ? 'no limit' : durationText(future)),
    row('Age of an ephemeral event', ephemeral === 0 ? 'no limit' : durationText(ephemeral)),
    ...(policy.pow_min > 0 ? [row('Proof of work, at least', `${policy.pow_min} bits`)] : []),
  ];
}

function ofQueries({ io, limits }: Config): Limit[] {
  return [
    ...(io.connections_per_ip_max > 0
      ? [row('Connections from one address', countText(io.connections_per_ip_max))]
      : []),
    ...(io.connections_per_subnet_max > 0
      ? [row('Connections from one network', countText(io.connections_per_subnet_max))]
      : []),
    row('Subscriptions of a connection', countText(limits.subscriptions_max)),
    row('Characters of a subscription id', countText(limits.subscription_id_length_max)),
    row('Filters in a REQ', countText(limits.filters_max)),
    row('Values in a filter', countText(limits.filter_values_max)),
    row('Stored events for a filter', countText(limits.limit_max)),
    row('Stored events for a filter without a limit', countText(limits.limit_default)),
    row('Unanswered messages of a connection', bytesText(limits.in_flight_bytes_max)),
  ];
}

function ofRates({ rates }: Config): Limit[] {
  const given = [
    ['New events of one author', rates.pubkey_events],
    ['Events from one address', rates.ip_events],
    ['Queries from one address', rates.ip_subscriptions],
    ['Messages from one address', rates.ip_messages],
    ['Bytes from one address', rates.ip_bytes],
    ['New connections from one address', rates.ip_connections],
    ['Events of everybody together', rates.all_events],
  ] as const;
  return given.flatMap(([what, rate]) => {
    const words = rateWords(rate);
    return words === null ? [] : [{ what, value: words.steady, burst: words.burst }];
  });
}

function row(what: string, value: string): Limit {
  return { what, value };
}
