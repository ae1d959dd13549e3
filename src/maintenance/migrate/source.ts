// Types of what the reader of another relay gives to `wok migrate`, and its errors.

import type { ExitCode } from '../../lib/exit-codes.ts';
import type { Translation } from './translation.ts';

/** Error of another relay's configuration or events. The message is a sentence for the user. */
export class SourceError extends Error {
  override name = 'SourceError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Configuration of another relay, translated. */
export interface Reading {
  readonly translation: Translation;
  /** Files that were translated, for people. */
  readonly from: string;
  /** True if only keys that have paid may write; `EventSource.admitted` has them. */
  readonly takesPayments: boolean;
}

/** Numbers of events that a source says it has. */
export interface Counted {
  readonly events: number;
  /** Events that it keeps but does not serve: deleted or replaced. They are not moved. */
  readonly hidden: number;
}

/** Part of the events that is read on its own, such as a file. */
export interface EventPart {
  /** Name for people, '' if there is only one. */
  readonly name: string;
  /** Events as lines, in pieces of any size. Reading them may throw a SourceError. */
  readonly bytes: AsyncIterable<Buffer>;
}

/** Events of another relay as lines of JSON. */
export interface EventSource {
  /** Name for people, like `strfry export` or a file. */
  readonly name: string;
  /**
   * Counts the events.
   *
   * @param onCount called now and then with the number so far, where it takes long.
   */
  count(signal: AbortSignal, onCount: (events: number) => void): Promise<Counted>;
  /**
   * Returns the events, to be read one part after the other.
   *
   * @param since time in seconds from which on events are wanted; undefined: all events.
   */
  all(signal: AbortSignal, since: number | undefined): readonly EventPart[];
  /** Returns what came since `all`, and perhaps some events again; null: nothing can come. */
  readonly later: ((signal: AbortSignal) => readonly EventPart[]) | null;
  /** Returns the public keys that have paid, in hex. */
  admitted?(signal: AbortSignal): Promise<readonly string[]>;
}
