// Relations that must hold between options and constants, and the check of a configuration against
// them.

import { type Config, configValue, MESSAGE_FRAME_BYTES, type SettingKey } from './options.ts';

/** Bound between two values: `smaller` + `room` must not exceed `larger`, and why. */
interface Relation {
  readonly smaller: SettingKey;
  readonly larger: SettingKey;
  readonly room?: number;
  readonly because: string;
}

/**
 * All relations. Those with a constant on their larger side hold for all values of an option, and
 * are for tests that lower the constant.
 */
const relations: readonly Relation[] = [
  {
    smaller: 'limits.event_bytes_max',
    larger: 'limits.message_bytes_max',
    room: MESSAGE_FRAME_BYTES,
    because: 'an event is sent inside a message',
  },
  {
    smaller: 'limits.limit_default',
    larger: 'limits.limit_max',
    because: 'a filter without a limit may not return more than one with a limit',
  },
  {
    smaller: 'limits.message_bytes_max',
    larger: 'io.queue_bytes_max',
    because:
      'a message that does not fit into the queue of an ingester worker could never be accepted',
  },
  {
    smaller: 'limits.message_bytes_max',
    larger: 'io.outbound_bytes_max',
    because: 'an event must fit into the outbound queue of a client',
  },
  {
    smaller: 'limits.event_bytes_max',
    larger: 'plugins.waiting_bytes_max',
    because: 'an event that does not fit into the policy queue could never be accepted',
  },
  {
    smaller: 'writer.batch_events_max',
    larger: 'writer.queue_events_max',
    because: 'a batch is filled from the queue',
  },
  {
    smaller: 'writer.batch_events_max',
    larger: 'monitor.replay_events_max',
    because: 'one commit may not evict events that a new subscription still needs',
  },
];

/**
 * Returns one sentence for each relation that a configuration breaks.
 *
 * @param where returns the origin of a value ("relay.conf line 3"; "the default").
 * @param skip values that are wrong already; relations with them are not checked.
 */
export function relationProblems(
  config: Config,
  where: (key: SettingKey) => string,
  skip: ReadonlySet<SettingKey>,
): string[] {
  const problems: string[] = [];
  for (const { smaller, larger, room = 0, because } of relations) {
    if (skip.has(smaller) || skip.has(larger)) continue;
    const value = configValue(config, smaller) as number;
    const bound = configValue(config, larger) as number;
    if (value + room <= bound) continue;
    const less = room === 0 ? '' : ` less ${room}`;
    problems.push(
      `${smaller} is ${value} (${where(smaller)}) but may be at most ${bound - room}, which is ` +
        `${larger} (${bound}, ${where(larger)})${less}: ${because}. Lower the first or raise the second.`,
    );
  }
  const { filters, trees_max: most } = config.negentropy;
  if (filters.length > most && !skip.has('negentropy.filters')) {
    problems.push(
      `negentropy.filters has ${filters.length} filters (${where('negentropy.filters')}) but may have at most ${most}. Leave the others out: they are read from the index.`,
    );
  }
  return problems;
}
