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
    row('Message size', bytesText(limits.message_bytes_max)),
    row('Event size (JSON)', bytesText(limits.event_bytes_max)),
    row('Content length (characters)', countText(limits.content_length_max)),
    row('Tags', countText(limits.tags_max)),
    row('Tag value that filters can match', bytesText(limits.tag_value_bytes_max)),
    row('created_at in the past', past === 0 ? 'no limit' : durationText(past)),
    row('created_at in the future', future === 0 ? 'no limit' : durationText(future)),
    row('Age of an ephemeral event', ephemeral === 0 ? 'no limit' : durationText(ephemeral)),
    ...(policy.pow_min > 0 ? [row('Proof of work (minimum)', `${policy.pow_min} bits`)] : []),
  ];
}

function ofQueries({ io, limits }: Config): Limit[] {
  return [
    ...(io.connections_per_ip_max > 0
      ? [row('Connections per address', countText(io.connections_per_ip_max))]
      : []),
    ...(io.connections_per_subnet_max > 0
      ? [row('Connections per network', countText(io.connections_per_subnet_max))]
      : []),
    row('Subscriptions per connection', countText(limits.subscriptions_max)),
    row('Subscription id length (characters)', countText(limits.subscription_id_length_max)),
    row('Filters per REQ', countText(limits.filters_max)),
    row('Values per filter', countText(limits.filter_values_max)),
    row('Stored events per filter', countText(limits.limit_max)),
    row('Stored events per filter without a limit', countText(limits.limit_default)),
    row('Unanswered messages per connection', bytesText(limits.in_flight_bytes_max)),
  ];
}

function ofRates({ rates }: Config): Limit[] {
  const given = [
    ['New events per author', rates.pubkey_events],
    ['Events per address', rates.ip_events],
    ['Queries per address', rates.ip_subscriptions],
    ['Messages per address', rates.ip_messages],
    ['New connections per address', rates.ip_connections],
    ['Bytes per address', rates.ip_bytes],
  ] as const;
  return given.flatMap(([what, rate]) => {
    const words = rateWords(rate);
    return words === null ? [] : [{ what, value: words.steady, burst: words.burst }];
  });
}

function row(what: string, value: string): Limit {
  return { what, value };
}
