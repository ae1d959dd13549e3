// Passes over the events of another relay: all of them, then what came meanwhile.

import { Readable } from 'node:stream';
import type { Config } from '../../config/options.ts';
import { importEvents, type RefusedInputLine } from '../import/import.ts';
import type { Tally } from '../import/tally.ts';
import type { EventPart, EventSource } from './source.ts';

const COMMIT_EVENTS = 10_000;
/** Assumed bytes of an event, from which the import sizes its filter of stored ids. */
const EVENT_BYTES = 500;

/** Options of a move. */
export interface MoveOptions {
  /** True to check signatures. */
  readonly verify: boolean;
  /** Number of events that the source has said it has. */
  readonly expected: number;
  /** Time in seconds from which on events are wanted; undefined: all events. */
  readonly since: number | undefined;
  readonly signal: AbortSignal;
  /** Called now and then with the number of events of the pass that were read. */
  readonly progress: (pass: 'first' | 'second', events: number) => void;
  readonly onRefused: (line: RefusedInputLine) => void;
  /** Called after a pass, with the seconds that it took. */
  readonly onPass: (pass: 'first' | 'second', tally: Tally, seconds: number) => void;
}

/**
 * Stores the events of a source, then those that came meanwhile. Size limits of the configuration
 * do not apply: the other relay has accepted the events. May be repeated at any time.
 *
 * @returns the counts of both passes; the second is null if nothing can have come, or if the signal
 *   ended the first one.
 * @throws SourceError, StorageError
 */
export async function moveEvents(
  config: Config,
  source: EventSource,
  options: MoveOptions,
): Promise<{ first: Tally; second: Tally | null }> {
  const { signal, since, expected } = options;
  const pass = async (name: 'first' | 'second', parts: readonly EventPart[]) => {
    const began = performance.now();
    const inputs = parts.map(({ name: part, bytes }) => {
      return { key: part, name: part, text: Readable.from(bytes, { highWaterMark: 1 }) };
    });
    const tally = await importEvents(config, inputs, {
      verify: options.verify,
      limits: false,
      commitEvents: COMMIT_EVENTS,
      totalBytes: expected * EVENT_BYTES,
      signal,
      progress: (read) => options.progress(name, read),
      onRefused: options.onRefused,
    });
    options.onPass(name, tally, (performance.now() - began) / 1000);
    return tally;
  };
  const first = await pass('first', source.all(signal, since));
  if (source.later === null || signal.aborted) return { first, second: null };
  return { first, second: await pass('second', source.later(signal)) };
}
