import type { ExitCode } from '../lib/exit-codes.ts';

/**
 * What a command is. To add one, write a file beside this one and name it in cli.ts.
 */

/**
 * A flag as help shows it: `--port <number>` takes a value, `--defaults` takes none. A value that is
 * named `<text>` may be empty, no other may.
 */
export interface Flag {
  readonly name: string;
  readonly text: string;
  /** The actions of the command that know it; all of them where this is left out. */
  readonly of?: readonly string[];
  /** Whether it may be given several times; all values count then. */
  readonly repeatable?: boolean;
  /** The flag (without dashes) that has to be given with it. */
  readonly needs?: string;
  /** The flags (without dashes) that must not be given with it, because one of the two has no effect. */
  readonly excludes?: readonly string[];
}

/** One call of a command. */
export interface Call {
  /** The action of a command that has several, '' for the others. */
  readonly action: string;
  /** The arguments behind the command and its action, without the flags. */
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** One of several things that a command does: `print` of `wok config print`. */
export interface ActionUsage {
  /** As `Command.args`. */
  readonly args: string;
  /** A sentence for the help of the command. */
  readonly summary: string;
}

export interface Command {
  readonly name: string;
  /**
   * The arguments, with spaces between: `<file>` is needed, `[file]` is not, `<name>...` is one or
   * more, and of `<pubkey|event>` one of these words. Commands with actions leave it out.
   */
  readonly args?: string;
  /** The actions by name. The first argument of the command names one. */
  readonly actions?: Readonly<Record<string, ActionUsage>>;
  readonly summary: string;
  readonly flags: readonly Flag[];
  readonly examples?: readonly string[];
  /** Does the work and returns the exit status (exit-codes.ts). */
  readonly run: (call: Call) => Promise<number>;
}

/** The command line is wrong. The message is a sentence for the one who typed it. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** A command cannot do what it was asked for. The message is a sentence for the one who typed it. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

/** The flags of a call by name without dashes, values as they were typed. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** All values of a flag that may be given several times. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** The value of a flag that is given once. */
  last(name: string): string | undefined {
    return this.all(name).at(-1);
  }

  /**
   * The value of a flag as a whole number, undefined where the flag is not given. Underscores may
   * stand between digits.
   *
   * @throws UsageError for anything else, and for a number out of range.
   */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.last(name);
    if (text === undefined) return undefined;
    const value = /^\d+(_\d+)*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError(`--${name} is a whole number from ${min} to ${max}, not "${text}".`);
  }
}

/** The name of a flag without dashes and value: `port` of `--port <number>`. */
export function bareName({ name }: Flag): string {
  return name.split(' ', 1)[0]!.slice(2);
}

/** The placeholder of a flag's value, `<number>`; undefined where the flag takes none. */
export function valueName({ name }: Flag): string | undefined {
  return name.split(' ', 2)[1];
}

/** Writes to standard output. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}
