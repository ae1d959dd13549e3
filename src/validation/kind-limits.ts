// Limits of events by kind, computed from the configuration in each ingester worker.

import type { Config } from '../config/options.ts';
import type { EventLimits } from '../protocol/event-check.ts';
import { KindNumbers } from '../protocol/kind-numbers.ts';

/** Limits of an event by its kind: the general ones, overridden by `limits.*_by_kind`. */
export class KindLimits {
  readonly #general: EventLimits;
  readonly #byKind: Map<number, EventLimits> | null;
  readonly #past: KindNumbers;
  readonly #future: KindNumbers;
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
    const {
      created_at_past_by_kind: past,
      created_at_future_by_kind: future,
      content_length_by_kind: content,
    } = limits;
    this.#byKind = past.length + future.length + content.length === 0 ? null : new Map();
    // Ephemeral events have an option of their own for the general age; -1 means that no entry
    // fits.
    this.#past = new KindNumbers(-1, past);
    this.#future = new KindNumbers(limits.created_at_future_seconds_max, future);
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
    const past = this.#past.of(kind);
    const content = this.#content.of(kind);
    return {
      ...this.#general,
      ...(past >= 0 && { createdAtPastSecondsMax: past, ephemeralAgeSecondsMax: past }),
      createdAtFutureSecondsMax: this.#future.of(kind),
      contentLengthMax: Math.min(content, this.#general.contentLengthMax),
    };
  }
}
