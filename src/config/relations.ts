// Relations that must hold between options, and the check of a configuration against them.

import { type Config, configValue, MESSAGE_FRAME_BYTES, type OptionKey } from './options.ts';

/** Bytes of an event's JSON without tags and content: id, keys, numbers, signature. */
const EVENT_FRAME_BYTES = 400;

/** Bound between two options: `smaller` + `room` must not exceed `larger`, and why. */
interface Relation {
  readonly smaller: OptionKey;
  readonly larger: OptionKey;
  readonly room?: number;
  readonly because: string;
}

/** All relations between options. */
const relations: readonly Relation[] = [
  {
    smaller: 'limits.event_bytes_max',
    larger: 'limits.message_bytes_max',
    room: MESSAGE_FRAME_BYTES,
    because: 'an event is sent inside a message',
  },
  {
    smaller: 'limits.content_length_max',
    larger: 'limits.event_bytes_max',
    room: EVENT_FRAME_BYTES,
    because: 'the content must fit into an event, beside id, keys and signature',
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
 * @param skip options that are wrong already; relations with them are not checked.
 */
export function relationProblems(
  config: Config,
  where: (key: OptionKey) => string,
  skip: ReadonlySet<OptionKey>,
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
  return problems;
}
