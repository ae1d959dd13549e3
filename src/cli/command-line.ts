// Parser of command lines: finds the command, its action, arguments and flags, and explains
// mistakes.

import { parseArgs } from 'node:util';
import { nearest } from '../lib/nearest.ts';
import {
  bareName,
  type Call,
  type Command,
  type Flag,
  Flags,
  UsageError,
  valueName,
} from './command.ts';

/** Request that a command line makes. */
type Wanted =
  | { readonly kind: 'version' }
  /** Help of one command; of wok itself if `command` is undefined. */
  | { readonly kind: 'help'; readonly command: Command | undefined }
  /** Empty command line. */
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly call: Pick<Call, 'action' | 'args' | 'flags'>;
    };

/** Error in a command line, with the command that it was for if that is known. */
export class CommandLineError extends UsageError {
  readonly command: Command | undefined;

  constructor(message: string, command?: Command) {
    super(message);
    this.command = command;
  }
}

/** Flags of wok itself, in addition to those of its commands. */
export const generalFlags: readonly Flag[] = [
  { name: '--help', text: 'Show this help' },
  { name: '--version', text: 'Show the version' },
];

/**
 * Parses the part of a command line after `wok`. Rules for every command and flag:
 *
 * - The first argument that is neither a flag nor the value of one names the command. Flags may
 *   stand anywhere; after `--` every word is an argument.
 * - A flag without a value never takes the next word. A flag with a value takes the next word,
 *   which must not begin with a dash (`-` alone may), or the text after `=`.
 * - A flag with a value is given once, unless it is repeatable. No flag may be shortened, and none
 *   is negated by `--no-`: `--no-verify` is a name of its own.
 * - Unknown flags, flags without effect, and values and arguments that are missing, empty (unless
 *   they are a text for people) or too many are errors.
 * - `--help` (`-h`) and `--version` (`-v`) anywhere before `--` override everything else; `help`
 *   is a command too.
 *
 * @throws CommandLineError with a sentence that says what to write instead.
 */
export function readCommandLine(argv: readonly string[], commands: readonly Command[]): Wanted {
  if (argv[0] === 'help') return helpOf(argv.slice(1), commands);
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  if (words.some((word) => word === '--help' || word === '-h')) return helpOf(words, commands);
  if (words.some((word) => word === '--version' || word === '-v')) return { kind: 'version' };
  const command = findCommand(argv, commands);
  if (command === undefined) {
    const known = { name: '', summary: '', flags: [], run: async () => 0 };
    const [first] = tokensOf(argv, known).filter(({ kind }) => kind !== 'option-terminator');
    if (first === undefined) return { kind: 'nothing' };
    if (first.kind === 'positional')
      throw new CommandLineError(unknownCommand(first.value, commands));
    throw new CommandLineError(flagWithoutCommand(written(argv, first), commands));
  }
  try {
    return { kind: 'run', command, call: callOf(argv, command, commands) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new CommandLineError(error.message, command);
  }
}

function helpOf(words: readonly string[], commands: readonly Command[]): Wanted {
  const rest = words.filter((word) => word !== '--help' && word !== '-h');
  const command = findCommand(rest, commands);
  const [name] = rest;
  if (command === undefined && name !== undefined && !name.startsWith('-')) {
    throw new CommandLineError(unknownCommand(name, commands));
  }
  if (command?.actions !== undefined) {
    const names = Object.keys(command.actions);
    const [, action] = tokensOf(rest, command).filter(({ kind }) => kind === 'positional');
    if (action?.kind === 'positional' && !names.includes(action.value))
      throw new CommandLineError(unknownAction(command.name, action.value, names), command);
  }
  return { kind: 'help', command };
}

type Token =
  | { kind: 'positional'; index: number; value: string }
  | { kind: 'option-terminator'; index: number }
  | {
      kind: 'option';
      index: number;
      name: string;
      rawName: string;
      value: string | undefined;
      inlineValue: boolean | undefined;
    };

function tokensOf(argv: readonly string[], { flags }: Command): Token[] {
  const types = [...generalFlags, ...flags].map(
    (flag): [string, { type: 'string' | 'boolean' }] => [
      bareName(flag),
      { type: valueName(flag) === undefined ? 'boolean' : 'string' },
    ],
  );
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(types),
    // Problems are reported below, in sentences.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens as Token[];
}

/** Returns the command that the first argument names; its flags tell arguments from values. */
function findCommand(argv: readonly string[], commands: readonly Command[]): Command | undefined {
  for (const [index, word] of argv.entries()) {
    const command = commands.find(({ name }) => name === word);
    if (command === undefined) continue;
    const first = tokensOf(argv, command).find(({ kind }) => kind === 'positional');
    if (first?.index === index) return command;
  }
  return undefined;
}

function callOf(
  argv: readonly string[],
  command: Command,
  commands: readonly Command[],
): Pick<Call, 'action' | 'args' | 'flags'> {
  const tokens = tokensOf(argv, command);
  const flags = flagsOf(argv, tokens, command, commands);
  const words = tokens
    .flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
    .slice(1);
  const { name, actions } = command;
  if (actions === undefined) {
    checkArguments(`wok ${name}`, command.args ?? '', words);
    checkTogether(command, '', flags);
    return { action: '', args: words, flags };
  }
  const [action, ...args] = words;
  if (action === undefined || !Object.hasOwn(actions, action)) {
    throw new UsageError(unknownAction(name, action, Object.keys(actions)));
  }
  checkArguments(`wok ${name} ${action}`, actions[action]!.args, args);
  checkTogether(command, action, flags);
  return { action, args, flags };
}

function flagsOf(
  argv: readonly string[],
  tokens: readonly Token[],
  command: Command,
  commands: readonly Command[],
): Flags {
  const known = new Map([...generalFlags, ...command.flags].map((flag) => [bareName(flag), flag]));
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const flag = known.get(name);
    if (flag === undefined || rawName !== `--${name}`) {
      throw new UsageError(unknownFlag(written(argv, token), command, commands));
    }
    const wanted = valueName(flag);
    if (wanted === undefined && value !== undefined) {
      throw new UsageError(`--${name} takes no value. Write --${name}.`);
    }
    if (wanted !== undefined) checkValue(name, wanted, value, inlineValue === true);
    const before = values.get(name);
    if (before !== undefined && wanted !== undefined && flag.repeatable !== true) {
      throw new UsageError(
        `--${name} is given twice, with "${before[0]}" and "${value}". Write it once.`,
      );
    }
    values.set(name, [...(before ?? []), ...(value === undefined ? [] : [value])]);
  }
  return new Flags(values);
}

function checkValue(
  name: string,
  wanted: string,
  value: string | undefined,
  isInline: boolean,
): void {
  if (value === undefined || (value === '' && !mayBeEmpty(wanted))) {
    throw new UsageError(`--${name} needs a value. Write --${name} ${wanted}.`);
  }
  if (isInline || !value.startsWith('-') || value === '-') return;
  throw new UsageError(
    `--${name} needs a value, and ${value} looks like a flag. Write --${name} ${wanted}, or --${name}=${value} if that is the value.`,
  );
}

/** Returns true if a value may be empty: only a text for people may, as `--reason <text>`. */
function mayBeEmpty(placeholder: string): boolean {
  return /^[<[](text|label|description)\b/.test(placeholder);
}

/** Checks the arguments against the usage. @throws UsageError if they do not fit. */
function checkArguments(head: string, usage: string, args: readonly string[]): void {
  const places = usage === '' ? [] : usage.split(' ');
  const write = `Write ${head}${usage === '' ? '' : ` ${usage}`}.`;
  const isMany = places.at(-1)?.endsWith('...') ?? false;
  const surplus = isMany ? undefined : args[places.length];
  if (surplus !== undefined) throw new UsageError(`${head} cannot use "${surplus}". ${write}`);
  for (const [index, place] of places.entries()) {
    const arg = args[index];
    if (arg === undefined) {
      if (place.startsWith('[')) return;
      throw new UsageError(`${head} needs ${place.replace('...', '')}. ${write}`);
    }
    if (arg === '' && !mayBeEmpty(place)) {
      throw new UsageError(`${place} of ${head} is empty. ${write}`);
    }
    const choices = /^[<[](\w+(\|\w+)+)/.exec(place)?.[1]?.split('|');
    if (choices === undefined || choices.includes(arg)) continue;
    const meant = nearest(arg, choices);
    const advice = meant === undefined ? write : `Did you mean ${meant}?`;
    throw new UsageError(`${head} does not know "${arg}". ${advice}`);
  }
}

/**
 * Checks the combination of flags.
 *
 * @throws UsageError for flags that have no effect on this action, or beside one another.
 */
function checkTogether(command: Command, action: string, flags: Flags): void {
  for (const flag of command.flags) {
    const name = bareName(flag);
    if (!flags.has(name)) continue;
    if (flag.of !== undefined && !flag.of.includes(action)) {
      const where = flag.of.map((one) => `wok ${command.name} ${one}`).join(', ');
      throw new UsageError(`--${name} is for ${where}, not for wok ${command.name} ${action}.`);
    }
    if (flag.needs !== undefined && !flags.has(flag.needs)) {
      throw new UsageError(
        `--${name} has no effect without --${flag.needs}. Write both, or neither.`,
      );
    }
    const other = flag.excludes?.find((one) => flags.has(one));
    if (other !== undefined) {
      throw new UsageError(`--${name} has no effect beside --${other}. Leave one of them out.`);
    }
  }
}

function unknownCommand(name: string, commands: readonly Command[]): string {
  const names = commands.map((command) => command.name);
  const meant = nearest(name, names);
  const advice =
    meant === undefined ? `There is: ${names.join(', ')}.` : `Did you mean wok ${meant}?`;
  return `There is no command "${name}". ${advice}`;
}

function unknownAction(
  command: string,
  action: string | undefined,
  names: readonly string[],
): string {
  const all = names.map((name) => `wok ${command} ${name}`).join(', or ');
  if (action === undefined) return `Write ${all}.`;
  const meant = nearest(action, names);
  const advice = meant === undefined ? `Write ${all}.` : `Did you mean wok ${command} ${meant}?`;
  return `There is no wok ${command} ${action}. ${advice}`;
}

function unknownFlag(raw: string, command: Command, commands: readonly Command[]): string {
  const own = [...generalFlags, ...command.flags].map(bareName);
  const bare = raw.replace(/^-+/, '');
  const positive = bare.replace(/^no-/, '');
  if (positive !== bare && own.includes(positive)) {
    return `There is no flag ${raw}. Leave --${positive} out instead.`;
  }
  const meant = nearest(bare, own);
  if (meant !== undefined) return `There is no flag ${raw}. Did you mean --${meant}?`;
  if (!raw.startsWith('--')) {
    return `There is no flag ${raw}. If it is an argument, write -- in front of it.`;
  }
  const list = `There is: ${own.map((name) => `--${name}`).join(', ')}.`;
  const others = commandsWith(bare, commands);
  if (others.length === 0) return `There is no flag ${raw}. ${list}`;
  return `There is no flag ${raw} for wok ${command.name}; it is for ${others.join(', ')}. ${list}`;
}

function flagWithoutCommand(raw: string, commands: readonly Command[]): string {
  const others = commandsWith(raw.slice(2), commands);
  if (others.length > 0) return `${raw} is for a command. Write ${others[0]} ${raw}.`;
  return `There is no flag ${raw}. Write wok <command>, or wok --help.`;
}

function commandsWith(name: string, commands: readonly Command[]): string[] {
  return commands
    .filter(({ flags }) => flags.some((flag) => bareName(flag) === name))
    .map((command) => `wok ${command.name}`);
}

/** Returns a flag as typed, without its value; parseArgs tells only the `-p` of `-port`. */
function written(argv: readonly string[], { index }: Token): string {
  return argv[index]!.split('=', 1)[0]!;
}
