// wok as a systemd service: notifications and watchdog over a real datagram socket, the journal,
// the unit, and `wok service`. Relays and commands in their own processes; ServiceManager as a
// unit.

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { packageRoot } from '../../src/paths.ts';
import { libc } from '../../src/service/libc.ts';
import { ServiceManager, sender } from '../../src/service/notify.ts';
import { delay, until, WokProcess } from '../support/process.ts';
import { freshDirectory } from '../support/relay.ts';

const run = promisify(execFile);
const has = (program: string) => !spawnSync(program, ['--version']).error;
const hasPython = has('python3');
const wokFile = join(packageRoot, 'dist/src/wok.js');

function wok(...args: string[]) {
  return run(process.execPath, [wokFile, ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

/** Unix datagram socket like the one of systemd. Node.js cannot make one, Python can. */
class Datagrams {
  text = '';
  readonly address: string;

  private constructor(child: ChildProcess, address: string) {
    this.address = address;
    child.stdout!.on('data', (data) => {
      this.text += String(data);
    });
  }

  static async open(abstract: boolean): Promise<Datagrams> {
    const address = abstract
      ? `@wok-test-${process.pid}-${Math.random()}`
      : join(freshDirectory(), 'notify');
    const program = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1))
print('bound', flush=True)
while True: print(s.recv(4096).decode(), end='\\n--\\n', flush=True)`;
    const child = spawn('python3', ['-c', program, address]);
    onTestFinished(() => void child.kill('SIGKILL'));
    const datagrams = new Datagrams(child, address);
    await until(() => datagrams.text.includes('bound\n'), 'the socket');
    datagrams.text = '';
    return datagrams;
  }

  get messages(): string[] {
    return this.text.split('\n--\n').filter((one) => one !== '');
  }
}

describe.runIf(hasPython)('sd_notify', () => {
  it.runIf(libc() !== null).each([true, false])(
    'tells what there is to tell (abstract socket: %s)',
    async (abstract) => {
      const socket = await Datagrams.open(abstract);
      const relay = WokProcess.spawn({}, freshDirectory(), [], [], {
        NOTIFY_SOCKET: socket.address,
        WATCHDOG_USEC: '600000',
      });
      await relay.listening();
      const fed = () => socket.messages.filter((one) => one === 'WATCHDOG=1').length;
      await until(() => fed() >= 3, 'the watchdog to be fed');
      const [starting, ready] = socket.messages;
      expect(starting).toBe('STATUS=starting');
      expect(ready).toMatch(/^READY=1\nSTATUS=port \d+: 0 connections/);
      relay.signal('SIGHUP');
      await until(() => /RELOADING=1\nMONOTONIC_USEC=\d+\n/.test(socket.text), 'the reload');
      await until(() => socket.text.split('READY=1').length === 3, 'the end of the reload');
      relay.signal('SIGTERM');
      await relay.exited;
      expect(socket.messages.at(-1)).toMatch(/^STOPPING=1\n/);
    },
  );

  it.runIf(libc() !== null)('names a successor, and feeds the watchdog as it does', async () => {
    const socket = await Datagrams.open(false);
    const relay = WokProcess.spawn({}, freshDirectory(), [], [], {
      NOTIFY_SOCKET: socket.address,
      WATCHDOG_USEC: '3600000000',
    });
    await relay.listening();
    relay.signal('SIGUSR2');
    await until(() => socket.text.includes('MAINPID='), 'the successor');
    const [, pid] = /MAINPID=(\d+)\nWATCHDOG=1\n/.exec(socket.text)!;
    onTestFinished(() => void process.kill(Number(pid), 'SIGKILL'));
    await until(() => socket.text.split('READY=1').length === 3, 'the successor to be ready');
    // Fed by the first process at its start and at the handover, and by the second one after taking
    // over and when ready: not as late as after a third of the hour.
    await until(
      () => socket.messages.filter((one) => one.endsWith('WATCHDOG=1')).length >= 4,
      'the watchdog to be fed',
    );
  });

  it.runIf(has('systemd-notify'))('goes by a program where there is no koffi', async () => {
    const socket = await Datagrams.open(false);
    sender(socket.address, null)!('READY=1\nSTATUS=by program');
    await until(() => socket.text.includes('STATUS=by program'), 'the message');
    expect(socket.text).toContain('READY=1');
  });
});

describe('the watchdog', () => {
  it('is fed only while every station answers', async () => {
    const sent: string[] = [];
    const env = { WATCHDOG_USEC: '30000' };
    const manager = new ServiceManager(env, (text) => sent.push(text));
    let alive = true;
    manager.watch(() => ({ alive, status: alive ? 'fine' : 'unwell: query worker 0' }));
    const fed = () => sent.filter((one) => one === 'WATCHDOG=1').length;
    // Fed at once: the last feed was that of another process.
    expect(fed()).toBe(1);
    await until(() => fed() > 2, 'food');
    alive = false;
    await until(() => sent.includes('STATUS=unwell: query worker 0'), 'the status');
    const before = fed();
    await delay(100);
    expect(fed()).toBe(before);
    manager.rest();
  });

  it('of another process is not fed', () => {
    const env = { WATCHDOG_USEC: '30000', WATCHDOG_PID: '1' };
    expect(new ServiceManager(env, () => {}).watchdogMilliseconds).toBe(0);
  });
});

describe('journald', () => {
  it('gets levels in front of the lines, and no times', async () => {
    const file = join(freshDirectory(), 'journal');
    const fd = openSync(file, 'w');
    const { dev, ino } = statSync(file, { bigint: true });
    const data = freshDirectory();
    const args = ['relay', '--port', '0', '--data', data, '--set', 'metrics.enabled=false'];
    const child = spawn(process.execPath, [wokFile, ...args], {
      stdio: ['ignore', fd, 'inherit'],
      env: { PATH: process.env.PATH, JOURNAL_STREAM: `${dev}:${ino}` },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    closeSync(fd);
    await until(() => /^<6>wok \S+ listens on/m.test(readFileSync(file, 'utf8')), 'the line');
  });
});

describe.runIf(has('systemd-analyze'))('the unit', () => {
  async function unitFile(): Promise<string> {
    const { stdout } = await wok('service', 'install', '--print');
    const file = join(freshDirectory(), 'wok.service');
    writeFileSync(file, stdout);
    return file;
  }

  it('is what systemd understands, without a word of complaint', async () => {
    const verified = spawnSync('systemd-analyze', ['verify', await unitFile()], {
      encoding: 'utf8',
    });
    expect(verified.stderr.split('\n').filter((line) => line.includes('wok.service'))).toEqual([]);
    expect(verified.status).toBe(0);
  });

  it('exposes as little as it can: 2.0 at most', async () => {
    const file = await unitFile();
    const analysis = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--threshold=20', '--no-pager', file],
      { encoding: 'utf8' },
    );
    const [, exposure] = /exposure level for wok\.service: ([\d.]+)/.exec(analysis.stdout)!;
    expect(Number(exposure)).toBeLessThanOrEqual(2);
    expect(analysis.status).toBe(0);
  });
});

describe('wok service', () => {
  it('install puts unit, configuration and directories in place, and keeps what is there', async () => {
    const root = freshDirectory();
    const first = await wok('service', 'install', '--root', root);
    expect(first.code).toBe(0);
    const unit = readFileSync(join(root, 'etc/systemd/system/wok.service'), 'utf8');
    const [, documentation] = /^Documentation=(.*)$/m.exec(unit)!;
    const page = readFileSync(fileURLToPath(documentation!), 'utf8');
    expect(page).toMatch(/^# Operations\n/);
    expect(unit).toContain(`ExecStart=${process.execPath} ${wokFile} relay --config /etc/wok/`);
    const config = join(root, 'etc/wok/relay.conf');
    expect(readFileSync(config, 'utf8')).toContain('directory = "/var/lib/wok"');
    expect((await wok('config', 'check', '--config', config)).code).toBe(0);
    expect(statSync(config).mode & 0o777).toBe(0o640);
    expect(statSync(join(root, 'var/lib/wok')).isDirectory()).toBe(true);

    writeFileSync(config, '[info]\nname = "mine"\n');
    mkdirSync(join(root, 'var/lib/wok/x'));
    expect((await wok('service', 'install', '--root', root)).stdout).toContain('unchanged');
    expect(readFileSync(config, 'utf8')).toContain('mine');

    expect((await wok('service', 'uninstall', '--root', root)).code).toBe(0);
    expect(existsSync(join(root, 'etc/systemd/system/wok.service'))).toBe(false);
    expect(existsSync(config)).toBe(true);
    await wok('service', 'uninstall', '--purge', '--root', root);
    expect(existsSync(config)).toBe(false);
    expect(existsSync(join(root, 'var/lib/wok'))).toBe(false);
  });

  it('tells what to write when the command line is wrong', async () => {
    const told = await wok('service', 'instal');
    expect(told.stderr).toContain('Did you mean wok service install?');
    expect(told.code).toBe(exitCodes.usage);
    expect((await wok('service')).code).toBe(exitCodes.usage);
  });
});
