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
   * Yields the events as lines, in pieces of any size.
   *
   * @param since time in seconds from which on events are wanted; undefined: all events.
   * @throws SourceError
   */
  all(signal: AbortSignal, since: number | undefined): AsyncIterable<Buffer>;
  /** Yields what came since `all` began, and perhaps some events again; null: nothing can come. */
  readonly later: ((signal: AbortSignal) => AsyncIterable<Buffer>) | null;
  /** Returns the public keys that have paid, in hex. */
  admitted?(signal: AbortSignal): Promise<readonly string[]>;
}
