import type { ExitCode } from '../lib/exit-codes.ts';

/**
 * What a command is. To add one, write a file beside this one and name it in cli.ts.
 */

/** A flag as help shows it: `--port <number>` takes a value, `--defaults` takes none. */
export interface Flag {
  readonly name: string;
  readonly text: string;
}

/** One call of a command. */
export interface Call {
  /** What stands on the command line beside the command and its flags. */
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export interface Command {
  /** Name and arguments: `relay`, `config <action>`. */
  readonly usage: string;
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

  /** The value of a flag, the last one when it was given several times. */
  last(name: string): string | undefined {
    return this.all(name).at(-1);
  }
}

/** Writes to standard output. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}
