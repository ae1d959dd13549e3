// The compiled command (dist/src/wok.js), run as a process: help and version, wrong command lines,
// `wok config`, and the check of the version of Node.js.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parse as parseToml } from 'smol-toml';
import { beforeAll, describe, expect, it } from 'vitest';
import { printConfig } from '../../src/config/print.ts';
import { configJsonSchema } from '../../src/config/schema.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { NODE_VERSION_MIN, nodeProblem } from '../../src/lib/node-version.ts';
import { packageRoot, version } from '../../src/paths.ts';
import { freshDirectory } from '../support/relay.ts';

/** Compiled command; `npm test` builds it first. */
const wokFile = join(packageRoot, 'dist/src/wok.js');

let cwd: string;
beforeAll(() => {
  if (!existsSync(wokFile)) throw new Error(`${wokFile} is missing: run npm run build`);
  cwd = freshDirectory();
});

function start(args: readonly string[], env: Record<string, string> = {}, file = wokFile) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('WOK_'));
  return spawn(process.execPath, [file, ...args], {
    cwd,
    env: { ...Object.fromEntries(clean), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

/** Runs wok to its end, in a directory that is not the package's. */
async function wok(args: readonly string[], env: Record<string, string> = {}, file = wokFile) {
  const child = start(args, env, file);
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended(child),
  ]);
  return { out, err, code };
}

describe('help and version', () => {
  it('wok --version', async () => {
    const { out, err, code } = await wok(['--version']);
    expect(out).toMatch(new RegExp(`^wok/${version.replaceAll('.', '\\.')} `));
    expect({ err, code }).toEqual({ err: '', code: exitCodes.ok });
  });

  it('wok --help names all commands', async () => {
    const { out, code } = await wok(['--help']);
    expect(out).toMatch(/^ {2}relay .*^ {2}config /ms);
    expect(code).toBe(exitCodes.ok);
  });

  it('wok relay --help names the flags of that command, and runs nothing', async () => {
    const { out, code } = await wok(['relay', '--help']);
    expect(out).toMatch(/--config <file>.*--port <number>.*--data <directory>.*--set <key=value>/s);
    expect(code).toBe(exitCodes.ok);
  });

  it('wok relay --version runs nothing either', async () => {
    const { out, code } = await wok(['relay', '--version']);
    expect(out).toContain(version);
    expect(code).toBe(exitCodes.ok);
  });

  it('wok alone shows the help and fails, so that a service without a command does not seem to run', async () => {
    const { out, code } = await wok([]);
    expect(out).toContain('Usage:');
    expect(code).toBe(exitCodes.usage);
  });
});

describe('a wrong command line', () => {
  it.each<[string[], string]>([
    [['relya'], 'There is no command "relya". Did you mean wok relay?'],
    [['xyzzy'], 'There is no command "xyzzy". There is: relay, '],
    [['relay', '--prot', '1'], 'There is no flag --prot. Did you mean --port?'],
    [['relay', '--conf=x'], 'There is no flag --conf. Did you mean --config?'],
    [['relay', '--xyzzy'], 'There is no flag --xyzzy. There is: --help, --version, --config,'],
    [
      ['relay', '--defaults'],
      'There is no flag --defaults for wok relay; it is for wok config. There is: --help,',
    ],
    [['relay', '-p', '1'], 'There is no flag -p.'],
    [['relay', '--port'], '--port needs a value. Write --port <number>.'],
    [['relay', 'now'], 'wok relay cannot use "now". Write wok relay.'],
    [['config', 'print', '--defaults=1'], '--defaults takes no value. Write --defaults.'],
    [['config', 'pirnt'], 'There is no wok config pirnt. Did you mean wok config print?'],
    [['config'], 'Write wok config check, or wok config print, or wok config schema.'],
    [['config', 'print', 'all'], 'wok config print cannot use "all". Write wok config print.'],
    [['--prot'], 'There is no flag --prot.'],
  ])('wok %j', async (args, sentence) => {
    const { out, err, code } = await wok(args);
    expect(err).toContain(`wok: ${sentence}`);
    expect({ out, code }).toEqual({ out: '', code: exitCodes.usage });
  });
});

describe('wok config', () => {
  it('check says which file is fine', async () => {
    const file = join(cwd, 'fine.conf');
    writeFileSync(file, '[io]\nport = 1\n');
    const { out, code } = await wok(['config', 'check', '--config', 'fine.conf']);
    expect({ out, code }).toEqual({ out: `${file} is valid.\n`, code: exitCodes.ok });
  });

  it.each([['config', 'check'], ['config', 'print'], ['relay']])(
    '%s %s ends with 78 and every problem',
    async (...command) => {
      const file = join(cwd, 'wrong.conf');
      writeFileSync(file, '[io]\nprot = 1\nport = 70000\n');
      const args = [...command.filter((part) => part !== undefined), '--config', file];
      const { out, err, code } = await wok(args, { WOK_PAGES__HOME: 'maybe' });
      expect(err.trim().split('\n')).toEqual([
        expect.stringContaining('line 2: there is no option io.prot. Did you mean io.port?'),
        expect.stringContaining('line 3: io.port is 70000'),
        expect.stringContaining('WOK_PAGES__HOME: pages.home is "maybe"'),
      ]);
      expect({ out, code }).toEqual({ out: '', code: exitCodes.config });
    },
  );

  it('print shows what applies', async () => {
    const args = [
      'config',
      'print',
      '--set',
      'log.level=debug',
      '--set=pages.home=false',
      '--port',
      '1',
    ];
    const { out, code } = await wok([...args, '--data', '007'], { WOK_INFO__NAME: 'from outside' });
    expect(code).toBe(exitCodes.ok);
    expect(parseToml(out)).toMatchObject({
      info: { name: 'from outside' },
      io: { port: 1 },
      pages: { home: false },
      log: { level: 'debug' },
      storage: { directory: join(cwd, '007') },
    });
  });

  it('print --defaults shows relay.conf, whatever is configured', async () => {
    const { out } = await wok(['config', 'print', '--defaults'], { WOK_IO__PORT: '1' });
    expect(out).toBe(printConfig());
    expect(out).toBe(readFileSync(join(packageRoot, 'relay.conf'), 'utf8'));
  });

  it('schema prints the JSON Schema', async () => {
    const { out, code } = await wok(['config', 'schema']);
    expect(JSON.parse(out)).toEqual(configJsonSchema());
    expect(code).toBe(exitCodes.ok);
  });
});

describe('the process', () => {
  it('runs through a symbolic link, as npm installs it', async () => {
    const link = join(cwd, 'wok');
    symlinkSync(wokFile, link);
    expect((await wok(['--version'], {}, link)).out).toContain(version);
  });

  it('does not crash when its output is closed', async () => {
    const child = start(['config', 'print', '--defaults']);
    child.stdout.destroy();
    const [err, code] = await Promise.all([text(child.stderr), ended(child)]);
    expect({ err, code }).toEqual({ err: '', code: exitCodes.ok });
  });

  it('says which Node.js it needs, before it loads what an older one cannot load', async () => {
    const fake = `Object.defineProperty(process.versions, 'node', { value: '18.20.4' })`;
    const old = `data:text/javascript,${encodeURIComponent(fake)}`;
    // Without the other files: as with the older Node.js, the command line cannot be loaded.
    const root = freshDirectory();
    mkdirSync(join(root, 'lib'));
    for (const name of [
      'wok.js',
      'no-inspector.js',
      'lib/descriptors.js',
      'lib/exit-codes.js',
      'lib/node-version.js',
    ]) {
      copyFileSync(join(packageRoot, 'dist/src', name), join(root, name));
    }
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    const { code, err } = await wok(
      ['--version'],
      { NODE_OPTIONS: `--import=${old}` },
      join(root, 'wok.js'),
    );
    expect(err).toMatch(
      /^wok: this is Node\.js 18\.20\.4, and wok needs 20\.19 or newer of 20, or 22, 24 or 25 /,
    );
    expect(code).toBe(exitCodes.unavailable);
  });

  it.each([
    ['20.18.3', false],
    ['20.19.0', true],
    ['22.3.0', true],
    ['9.20.0', false],
  ])('takes Node.js %s: %s', (version, fine) => {
    expect(nodeProblem(version) === null).toBe(fine);
  });

  it('asks for the Node.js that package.json asks for', () => {
    const { engines } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
    expect(`>=${NODE_VERSION_MIN}`).toBe(`${engines.node.split(' ', 1)[0]}.0`);
  });
});
