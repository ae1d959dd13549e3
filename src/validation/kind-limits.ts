// Limits of events by kind, computed from the configuration in each ingester worker.

import type { Config } from '../config/options.ts';
import type { EventLimits } from '../protocol/event-check.ts';
import { KindNumbers } from '../protocol/kind-numbers.ts';

/** Limits of an event by its kind: the general ones, and `limits.content_length_by_kind`. */
export class KindLimits {
  readonly #general: EventLimits;
  readonly #byKind: Map<number, EventLimits> | null;
  readonly #content: KindNumbers;

  constructor({ limits }: Config) {
    this.#general = {
      eventBytesMax: limits.event_bytes_max,
      tagsMax: limits.tags_max,
      tagValueBytesMax: limits.tag_value_bytes_max,
      contentLengthMax: limits.content_length_max,
      createdAtPastSecondsMax: limits.created_at_past_seconds_max,
      createdAtFutureSecondsMax: limits.created_at_future_seconds_max,
      ephemeralAgeSecondsMax: limits.ephemeral_age_seconds_max,
    };
    const { content_length_by_kind: content } = limits;
    this.#byKind = content.length === 0 ? null : new Map();
    this.#content = new KindNumbers(limits.content_length_max, content);
  }

  of(kind: number): EventLimits {
    if (this.#byKind === null) return this.#general;
    let found = this.#byKind.get(kind);
    if (found === undefined) {
      found = this.#make(kind);
      this.#byKind.set(kind, found);
    }
    return found;
  }

  #make(kind: number): EventLimits {
    const content = this.#content.of(kind);
    return {
      ...this.#general,
      contentLengthMax: Math.min(content, this.#general.contentLengthMax),
    };
  }
}
