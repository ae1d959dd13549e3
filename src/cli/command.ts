// Types of a command, its flags and its calls, and the errors that end a call. To add a command,
// write a file in this folder and name it in cli.ts.

import type { ExitCode } from '../lib/exit-codes.ts';

/**
 * Flag as help shows it: `--port <number>` takes a value, `--defaults` takes none. Only a value
 * named `<text>`, `<label>` or `<description>` may be empty.
 */
export interface Flag {
  readonly name: string;
  readonly text: string;
  /** Actions of the command that accept it; all of them if this is left out. */
  readonly of?: readonly string[];
  /** True if it may be given several times; all values count then. */
  readonly repeatable?: boolean;
  /** Flag (without dashes) that has to be given with it. */
  readonly needs?: string;
  /** Flags (without dashes) that exclude it, because one of the two has no effect. */
  readonly excludes?: readonly string[];
}

/** Call of a command. */
export interface Call {
  /** Action of a command that has several, '' for the others. */
  readonly action: string;
  /** Arguments after the command and its action, without the flags. */
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Usage of one action of a command that has several: `print` of `wok config print`. */
export interface ActionUsage {
  /** Arguments of the action, as in `Command.args`. */
  readonly args: string;
  /** Sentence for the help of the command. */
  readonly summary: string;
}

export interface Command {
  readonly name: string;
  /**
   * Arguments, with spaces between: `<file>` is needed, `[file]` is not, `<name>...` is one or
   * more, and of `<pubkey|event>` one of these words. Commands with actions leave it out.
   */
  readonly args?: string;
  /** Actions by name. The first argument of the command names one. */
  readonly actions?: Readonly<Record<string, ActionUsage>>;
  readonly summary: string;
  readonly flags: readonly Flag[];
  readonly examples?: readonly string[];
  /** Does the work and returns the exit status (exit-codes.ts). */
  readonly run: (call: Call) => Promise<number>;
}

/** Error in the command line. The message is a sentence for the user. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** Failure of a command to do what it was asked for. The message is a sentence for the user. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

/** Flags of a call by name without dashes, with their values as they were typed. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Returns all values of a flag that may be given several times. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Returns the value of a flag that is given once. */
  last(name: string): string | undefined {
    return this.all(name).at(-1);
  }

  /**
   * Returns the value of a flag as a whole number, or undefined if the flag is not given.
   * Underscores may stand between digits.
   *
   * @throws UsageError for anything else, and for a number out of range.
   */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.last(name);
    if (text === undefined) return undefined;
    const value = /^\d+(_\d+)*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not "${text}".`);
  }
}

/** Returns the name of a flag without dashes and value: `port` for `--port <number>`. */
export function bareName({ name }: Flag): string {
  return name.split(' ', 1)[0]!.slice(2);
}

/** Returns the placeholder of a flag's value, `<number>`; undefined if the flag takes none. */
export function valueName({ name }: Flag): string | undefined {
  return name.split(' ', 2)[1];
}

/** Writes a text and a line end to standard output. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}
