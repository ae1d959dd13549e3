// Exposure of the process beside its clients: the inspector of Node.js (SIGUSR1), and the
// environment of plugins. Relay in its own process; the plugin environment also as a unit.

import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePluginEntry } from '../../src/config/plugin-entry.ts';
import { pluginEnvironment } from '../../src/policy/plugins/environment.ts';
import { accepted } from '../support/answers.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { plugins } from '../support/plugins.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory } from '../support/relay.ts';

const TCP_LISTEN = '0A';

/** Returns the TCP ports that a process listens on. */
function listeningPorts(pid: number): number[] {
  const links = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  return ['tcp', 'tcp6']
    .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === TCP_LISTEN && inodes.has(inode))
    .map(([, local]) => Number.parseInt(local!.split(':')[1]!, 16));
}

describe.skipIf(process.platform !== 'linux')('SIGUSR1', () => {
  it('opens no inspector, and the relay goes on', async () => {
    const wok = await WokProcess.start();
    const port = Number(new URL(wok.url).port);
    expect(listeningPorts(wok.pid)).toEqual([port]);
    for (let n = 1; n <= 3; n++) {
      wok.signal('SIGUSR1');
      const told = () => wok.out.split('SIGUSR1 is ignored').length - 1;
      await until(() => told() === n, 'the log to say so');
    }
    expect(listeningPorts(wok.pid)).toEqual([port]);
    expect(wok.err).not.toMatch(/debugger/i);
    const client = await Client.connect(wok.url);
    const event = new Author().event();
    expect(await client.publish(event)).toEqual(accepted(event));
    client.socket.terminate();
    wok.signal('SIGTERM');
    expect((await wok.exited).code).toBe(0);
  });
});

describe('the environment of a plugin', () => {
  it('is small, has what its entry names, and never a secret of the relay', async () => {
    const directory = freshDirectory();
    const seen = join(directory, 'seen');
    const program = join(directory, 'plugin.sh');
    writeFileSync(
      program,
      `env > ${seen}\nwhile read -r line; do\n  id=$(echo "$line" | sed 's/.*"id":"\\([0-9a-f]*\\)".*/\\1/')\n  echo "{\\"id\\":\\"$id\\",\\"action\\":\\"accept\\"}"\ndone\n`,
    );
    const env = {
      WOK_INFO__NAME: 'secret of the relay',
      NOTIFY_SOCKET: join(directory, 'none'),
      AWS_SECRET_ACCESS_KEY: 'secret of the machine',
      SPAM_KEY: 'for the plugin',
      TZ: 'Europe/Berlin',
      LC_ALL: 'C.UTF-8',
    };
    const commands = plugins(`env=SPAM_KEY,NOT_THERE -- MODEL=x sh ${program}`);
    const wok = WokProcess.spawn(commands, directory, [], [], env);
    await wok.listening();
    const client = await Client.connect(wok.url);
    const event = new Author().event();
    expect(await client.publish(event)).toEqual(accepted(event));
    client.socket.terminate();
    const lines = readFileSync(seen, 'utf8').trim().split('\n');
    const found = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
    expect(found).toMatchObject({
      SPAM_KEY: 'for the plugin',
      TZ: 'Europe/Berlin',
      LC_ALL: 'C.UTF-8',
      MODEL: 'x',
      PATH: process.env.PATH,
    });
    // The shell adds the last three.
    const usual =
      /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|PWD|OLDPWD|SHLVL|_)$/;
    const others = Object.keys(found).filter((name) => !usual.test(name));
    expect(others.sort()).toEqual(['MODEL', 'SPAM_KEY']);
    expect(lines.join()).not.toContain('secret');
  });

  it.each([
    ['env=A,B_1 -- x', ['A', 'B_1']],
    ['env=A -- x', ['A']],
    ['x', undefined],
  ])('is named by %s', (text, wanted) => {
    expect(parsePluginEntry(text)?.environment).toEqual(wanted);
  });

  it.each(['env=A=B -- x', 'env=1A -- x', 'env=A,,B -- x', 'env=WOK_X -- x', 'env=wok_x -- x'])(
    'is not named by %s',
    (text) => {
      expect(parsePluginEntry(text)).toBeUndefined();
    },
  );

  it('is made of what is there', () => {
    const env = {
      PATH: '/bin',
      LC_TIME: 'C',
      OTHER: 'x',
      NAMED: '',
      WOK_IO__PORT: '1',
      HOME: undefined,
    };
    expect(pluginEnvironment(['NAMED'], env)).toEqual({ PATH: '/bin', LC_TIME: 'C', NAMED: '' });
  });
});
