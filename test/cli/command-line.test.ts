// Every flag of every command in every position, and every wrong way to write it: readCommandLine
// as a unit over all commands, then the compiled command.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/cli.ts';
import { bareName, type Command, type Flag, valueName } from '../../src/cli/command.ts';
import { CommandLineError, readCommandLine } from '../../src/cli/command-line.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { Author } from '../support/author.ts';
import { freshDirectory } from '../support/relay.ts';
import { wok, wokHere } from '../support/wok.ts';

/** Command, with one of its actions if it has some. */
interface Form {
  command: Command;
  action: string;
  /** Leading words, for example `config print`. */
  head: string[];
  /** Arguments, as in `Command.args`. */
  usage: string;
  flags: readonly Flag[];
}

const forms: Form[] = commands.flatMap((command): Form[] => {
  const { name, actions, flags } = command;
  if (actions === undefined) {
    return [{ command, action: '', head: [name], usage: command.args ?? '', flags }];
  }
  return Object.entries(actions).map(([action, { args }]) => ({
    command,
    action,
    head: [name, action],
    usage: args,
    flags: flags.filter(({ of }) => of === undefined || of.includes(action)),
  }));
});

/** Returns an argument for each place of a usage; for optional places only on request. */
function argumentsFor(usage: string, optional: boolean): string[] {
  const places = usage === '' ? [] : usage.split(' ');
  return places
    .filter((place) => optional || place.startsWith('<'))
    .map((place) => /^.(\w+)\|/.exec(place)?.[1] ?? 'argument');
}

const given = ({ name }: Flag, value: string) =>
  name.includes('<') ? [name.split(' ', 1)[0]!, value] : [name];

/** Returns the flags that have to be given beside a flag for it to have an effect. */
const needed = ({ needs }: Flag) => (needs === undefined ? [] : [`--${needs}`]);

function read(argv: readonly string[]) {
  const wanted = readCommandLine(argv, commands);
  if (wanted.kind !== 'run') throw new Error(`${argv.join(' ')} is no command`);
  const { command, call } = wanted;
  return { command: command.name, action: call.action, args: call.args, flags: call.flags };
}

/** Returns the sentence with which a command line is refused. */
function refusal(argv: readonly string[]): string {
  try {
    const { kind } = readCommandLine(argv, commands);
    return `taken as ${kind}`;
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    return error.message;
  }
}

const cases = forms.flatMap((form) =>
  form.flags.map((flag) => ({ form, flag, title: `wok ${form.head.join(' ')} ${flag.name}` })),
);
const valueCases = cases.filter(({ flag }) => valueName(flag) !== undefined);
const switchCases = cases.filter(({ flag }) => valueName(flag) === undefined);

it('covers all commands and flags', () => {
  expect(commands.length).toBeGreaterThan(15);
  expect(switchCases.length).toBeGreaterThan(30);
  expect(valueCases.length).toBeGreaterThan(100);
  expect(switchCases.map(({ title }) => title)).toContain('wok import --show-rejected');
});

describe('a flag', () => {
  it.each(cases)('$title may stand anywhere', ({ form, flag }) => {
    const { head, usage, action, command } = form;
    const words = given(flag, 'value');
    for (const optional of [false, true]) {
      const args = argumentsFor(usage, optional);
      const plain = [...head, ...args];
      for (let at = 0; at <= plain.length; at++) {
        const argv = [...needed(flag), ...plain.slice(0, at), ...words, ...plain.slice(at)];
        const { flags, ...rest } = read(argv);
        expect(rest, argv.join(' ')).toEqual({ command: command.name, action, args });
        expect(flags.all(bareName(flag))).toEqual(words.slice(1));
        expect(flags.has(bareName(flag))).toBe(true);
      }
    }
  });

  it.each(cases)('$title is not shortened, negated, nor written otherwise', ({ form, flag }) => {
    const plain = [...form.head, ...argumentsFor(form.usage, false)];
    const name = bareName(flag);
    for (const raw of [`--${name}s-`, `--no-${name}`, `-${name}`, `--${name.toUpperCase()}`]) {
      expect(refusal([...plain, raw]), raw).toContain(`There is no flag ${raw}`);
    }
    expect(refusal([...plain, `--no-${name}`])).toBe(
      `There is no flag --no-${name}. Leave --${name} out instead.`,
    );
    const positive = name.replace(/^no-/, '');
    if (positive !== name) {
      expect(refusal([...plain, `--${positive}`])).toContain(`Did you mean --${name}?`);
    }
  });

  it.each(cases)('$title has no effect behind --', ({ form, flag }) => {
    const args = argumentsFor(form.usage, false);
    const argv = [...form.head, ...args, '--', given(flag, 'value')[0]!];
    // A free place takes it as an argument; otherwise it is one too many.
    const wanted = form.usage === '' ? [] : form.usage.split(' ');
    const isRoom = wanted.length > args.length || form.usage.endsWith('...');
    if (!isRoom) return expect(refusal(argv)).toMatch(/ cannot use "--/);
    expect(read(argv).args).toEqual([...args, argv.at(-1)]);
    expect(read(argv).flags.has(bareName(flag))).toBe(false);
  });

  it.each(switchCases)('$title takes no value', ({ form, flag }) => {
    const plain = [...form.head, ...argumentsFor(form.usage, false), ...needed(flag)];
    for (const value of ['', '1', 'true', 'false', 'no']) {
      expect(refusal([...plain, `${flag.name}=${value}`])).toBe(
        `${flag.name} takes no value. Write ${flag.name}.`,
      );
    }
    expect(read([...plain, flag.name, flag.name]).flags.has(bareName(flag))).toBe(true);
  });
});

describe('a flag with a value', () => {
  it.each(valueCases)('$title takes its value behind a space or =', ({ form, flag }) => {
    const plain = [...form.head, ...argumentsFor(form.usage, false), ...needed(flag)];
    const name = `--${bareName(flag)}`;
    const valueFor = (...words: string[]) => read([...plain, ...words]).flags.last(bareName(flag));
    for (const value of ['-', 'a=b', '0', '007', 'true', 'relay', ' ']) {
      expect(valueFor(name, value)).toBe(value);
      expect(valueFor(`${name}=${value}`)).toBe(value);
    }
    for (const value of ['-x', '--json', '--', '-1', '--no-such=flag']) {
      expect(valueFor(`${name}=${value}`)).toBe(value);
      const sentence = refusal([...plain, name, value]);
      expect(sentence).toContain(`${name} needs a value, and ${value} looks like a flag.`);
      expect(sentence).toContain(`or ${name}=${value} if that is the value.`);
    }
    const missing = `${name} needs a value. Write ${flag.name}.`;
    expect(refusal([...plain, name])).toBe(missing);
    if (valueName(flag) === '<text>') expect(valueFor(`${name}=`)).toBe('');
    else
      for (const empty of [[name, ''], [`${name}=`]])
        expect(refusal([...plain, ...empty])).toBe(missing);
  });

  it.each(valueCases)(
    '$title is given once, unless it says that it may be repeated',
    ({ form, flag }) => {
      const plain = [...form.head, ...argumentsFor(form.usage, false), ...needed(flag)];
      const argv = [...plain, ...given(flag, 'one'), ...given(flag, 'two')];
      if (flag.repeatable) expect(read(argv).flags.all(bareName(flag))).toEqual(['one', 'two']);
      else {
        expect(refusal(argv)).toBe(
          `--${bareName(flag)} is given twice, with "one" and "two". Write it once.`,
        );
      }
      expect(flag.repeatable ?? false).toBe(
        /may be repeated/.test(flag.text) || /^--pid-[ab] /.test(flag.name),
      );
    },
  );
});

describe('a flag that does not belong there', () => {
  it.each(cases.filter(({ flag }) => flag.needs || flag.excludes))(
    '$title is refused where it would have no effect',
    ({ form, flag }) => {
      const plain = [...form.head, ...argumentsFor(form.usage, false)];
      const words = given(flag, 'value');
      if (flag.needs) {
        expect(refusal([...plain, ...words])).toContain(`has no effect without --${flag.needs}.`);
      }
      for (const name of flag.excludes ?? []) {
        const other = form.flags.find((one) => bareName(one) === name);
        // A flag of another action is refused for that reason.
        if (other === undefined) continue;
        expect(refusal([...plain, ...words, ...given(other, 'value')])).toContain(
          `--${bareName(flag)} has no effect beside --${name}.`,
        );
      }
    },
  );

  it('of one action is refused for other actions', () => {
    let tried = 0;
    for (const { command, action, head, usage, flags } of forms) {
      for (const flag of command.flags.filter((one) => !flags.includes(one))) {
        const argv = [...head, ...argumentsFor(usage, false), ...given(flag, 'value')];
        expect(refusal([...argv, ...needed(flag)])).toMatch(
          new RegExp(` is for wok ${command.name} .*not for wok ${command.name} ${action}\\.$`),
        );
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(50);
  });

  it.each(commands.map((command) => ({ name: command.name, command })))(
    'that wok $name does not have is named, with the commands that have it',
    ({ command }) => {
      const own = new Set(command.flags.map(bareName));
      const action = Object.keys(command.actions ?? {}).slice(0, 1);
      const strange = commands
        .flatMap(({ flags }) => flags.map(bareName))
        .filter((name) => !own.has(name));
      for (const name of strange) {
        const sentence = refusal([command.name, ...action, `--${name}`]);
        expect(sentence).toContain(`There is no flag --${name}`);
        expect(sentence).toMatch(/ Did you mean --|; it is for wok |\. Leave --/);
      }
      expect(refusal([command.name, ...action, '--xyzzyx'])).toMatch(
        /^There is no flag --xyzzyx\. There is: --help, --version, --/,
      );
      for (const raw of ['-x', '--__proto__', '--constructor=1', '--=x']) {
        expect(refusal([command.name, ...action, raw])).toMatch(/^There is no flag -/);
      }
    },
  );
});

describe('arguments', () => {
  const title = ({ head, usage }: Form) => `wok ${head.join(' ')} ${usage}`.trimEnd();
  const titled = forms.map((form) => ({ title: title(form), form }));

  it.each(titled)('$title: as many as there are places for', ({ form: { head, usage } }) => {
    const needed = argumentsFor(usage, false);
    const full = argumentsFor(usage, true);
    expect(read([...head, ...full]).args).toEqual(full);
    if (usage.endsWith('...'))
      expect(read([...head, ...full, 'more']).args.length).toBe(full.length + 1);
    else {
      const sentence = refusal([...head, ...full, 'surplus']);
      expect(sentence).toBe(
        `wok ${head.join(' ')} cannot use "surplus". Write ${title({ head, usage } as Form)}.`,
      );
    }
    for (let count = 0; count < needed.length; count++) {
      expect(refusal([...head, ...needed.slice(0, count)])).toBe(
        `wok ${head.join(' ')} needs ${usage.split(' ')[count]!.replace('...', '')}. Write wok ${head.join(' ')} ${usage}.`,
      );
    }
  });

  it.each(titled)('$title: none is empty, but for texts', ({ form: { head, usage } }) => {
    const full = argumentsFor(usage, true);
    const places = usage.split(' ');
    for (const [index] of full.entries()) {
      const argv = [...head, ...full.slice(0, index), '', ...full.slice(index + 1)];
      if (/^.(text|label|description)/.test(places[index]!))
        expect(read(argv).args[index]).toBe('');
      else expect(refusal(argv)).toContain(`${places[index]} of wok ${head.join(' ')} is empty.`);
    }
  });

  it.each(titled.filter(({ form }) => form.usage.includes('|')))(
    '$title: one of the words',
    ({ form: { head, usage } }) => {
      const [, ...rest] = argumentsFor(usage, false);
      expect(refusal([...head, 'xyzzyx', ...rest])).toBe(
        `wok ${head.join(' ')} does not know "xyzzyx". Write wok ${head.join(' ')} ${usage}.`,
      );
      const word = /^<(\w+)\|/.exec(usage)![1]!;
      expect(refusal([...head, `${word}x`, ...rest])).toMatch(/ Did you mean \w+\?$/);
    },
  );

  it.each(commands.filter(({ actions }) => actions !== undefined).map(({ name }) => name))(
    'wok %s wants one of its actions',
    (name) => {
      expect(refusal([name])).toMatch(new RegExp(`^Write wok ${name} \\w+`));
      expect(refusal([name, 'xyzzyx'])).toMatch(
        new RegExp(`^There is no wok ${name} xyzzyx\\. Write wok ${name} \\w+`),
      );
      expect(refusal([name, 'constructor'])).toContain(`There is no wok ${name} constructor.`);
      const [first] = Object.keys(commands.find((one) => one.name === name)!.actions!);
      expect(refusal([name, `${first}x`])).toContain(`Did you mean wok ${name} ${first}?`);
    },
  );
});

describe('the command', () => {
  it.each([
    [[], { kind: 'nothing' }],
    [['--'], { kind: 'nothing' }],
    [['--version'], { kind: 'version' }],
    [['-v'], { kind: 'version' }],
    [['relay', '--version', '--nonsense'], { kind: 'version' }],
    [['--help'], { kind: 'help', command: undefined }],
    [['help'], { kind: 'help', command: undefined }],
    [['--port', '1', '--help'], { kind: 'help', command: undefined }],
  ])('%j', (argv, wanted) => {
    expect(readCommandLine(argv, commands)).toEqual(wanted);
  });

  it.each([
    [['help', 'mod']],
    [['mod', '--help']],
    [['-h', 'mod']],
    [['mod', 'ban', '--no-such', '-h']],
    [['--data', 'status', 'mod', '--help']],
  ])('%j is the help of mod', (argv) => {
    const wanted = readCommandLine(argv, commands);
    expect(wanted).toMatchObject({ kind: 'help', command: { name: 'mod' } });
  });

  it('is not the value of a flag, nor an argument of its own name', () => {
    expect(read(['--data', 'status', 'top', '--once']).command).toBe('top');
    expect(read(['--json', 'status']).command).toBe('status');
    expect(read(['--json', 'file', 'bench', 'run', 'req'])).toMatchObject({ command: 'bench' });
    expect(read(['import', 'import'])).toMatchObject({ command: 'import', args: ['import'] });
    expect(read(['--', 'import', '--file'])).toMatchObject({ command: 'import', args: ['--file'] });
  });

  it.each([
    [['relya', '--help'], 'There is no command "relya". Did you mean wok relay?'],
    [['help', 'relya'], 'There is no command "relya". Did you mean wok relay?'],
    [['config', 'pirnt', '--help'], 'There is no wok config pirnt. Did you mean wok config print?'],
    [['-h', 'mod', 'bann'], 'There is no wok mod bann. Did you mean wok mod ban?'],
    [['help', 'config', 'pirnt'], 'There is no wok config pirnt. Did you mean wok config print?'],
    [['--port', '80'], '--port is for a command. Write wok relay --port.'],
    [['--show-rejected'], '--show-rejected is for a command. Write wok import --show-rejected.'],
    [['relay', '--help=1'], '--help takes no value. Write --help.'],
    [['--version=1'], 'There is no flag --version. Write wok <command>, or wok --help.'],
    [['relay', '--version=1'], '--version takes no value. Write --version.'],
  ])('%j: %s', (argv, sentence) => {
    expect(refusal(argv)).toBe(sentence);
  });
});

describe('the process', () => {
  const event = new Author().event();
  const lines = `${JSON.stringify(event)}\n{"id":"wrong"}\n`;

  function fileOf(directory: string): string {
    const file = join(directory, 'events.jsonl');
    writeFileSync(file, lines);
    return file;
  }

  it.each([['--show-rejected'], ['--no-verify'], ['--no-limits']])(
    'wok import %s FILE reads the file',
    async (flag) => {
      const directory = freshDirectory();
      const file = fileOf(directory);
      const data = join(directory, 'data');
      const { out, err, code } = await wok(['import', flag, file, '--data', data]);
      expect(out).toContain('2 events read · 1 added · 0 already stored · 1 refused');
      if (flag === '--show-rejected') expect(err).toContain('line 2: ');
      expect(code).toBe(exitCodes.ok);
      const scan = await wokHere(['scan', '--count', '{}', '--data', data]);
      expect(scan).toMatchObject({ out: '1\n', code: exitCodes.ok });
      const copy = join(directory, 'copy.db');
      const backup = await wok(['backup', '--compact', copy, '--data', data]);
      expect(backup).toMatchObject({ err: '', code: exitCodes.ok });
      expect((await wokHere(['backup', '--force', copy, '--data', data])).code).toBe(exitCodes.ok);
    },
  );

  it.each([['--no-verify'], ['--summary'], ['--authed']])(
    'wok policy test %s FILE reads the file',
    async (flag) => {
      const { out, code } = await wokHere(['policy', flag, 'test', fileOf(freshDirectory())]);
      expect(out).toContain('2 events');
      expect(code).toBe(exitCodes.ok);
    },
  );

  it('ends with 2, and with a sentence and where more is to be found', async () => {
    const { out, err, code } = await wok(['import', '--show-rejected=yes', 'x']);
    expect({ out, code }).toEqual({ out: '', code: exitCodes.usage });
    expect(err).toBe(
      'wok: --show-rejected takes no value. Write --show-rejected.\nwok: see wok import --help.\n',
    );
    const refused = await wok(['export', '--kinds', 'one']);
    expect(refused.code).toBe(exitCodes.usage);
    expect(refused.err).toContain('wok: see wok export --help.\n');
  });

  it('takes the filters of several --filter together', async () => {
    const directory = freshDirectory();
    await wokHere(['import', fileOf(directory), '--data', directory]);
    const both = ['--filter', '{"kinds":[0]}', '--filter', `{"ids":["${event.id}"]}`];
    const { out, code } = await wokHere(['export', ...both, '--data', directory]);
    expect({ out: out.trim(), code }).toEqual({ out: JSON.stringify(event), code: exitCodes.ok });
  });

  it('shows the help of every command, with its arguments, actions and flags', async () => {
    for (const { name, flags, actions } of commands) {
      const { out, code } = await wokHere(['help', name]);
      expect(code).toBe(exitCodes.ok);
      expect(out).toContain(`Usage: wok ${name}`);
      for (const flag of flags) expect(out).toContain(`  ${flag.name}`);
      for (const action of Object.keys(actions ?? {})) expect(out).toContain(`  ${action}`);
    }
  });
});
