// Reload of the configuration by a running relay (a process of its own), on SIGHUP and by `wok
// reload`; identityAdvice as a unit.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { identityAdvice } from '../../src/config/identity-advice.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { packageRoot } from '../../src/paths.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { http } from '../support/http.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory, type Settings, testConfig } from '../support/relay.ts';

const author = new Author();
const run = promisify(execFile);

async function started(text: string) {
  const directory = freshDirectory();
  const file = join(directory, 'relay.conf');
  const write = (content: string) => writeFileSync(file, content);
  write(text);
  const wok = WokProcess.spawn({}, directory, [], ['--config', file]);
  await wok.listening();
  const information = async () =>
    JSON.parse((await http(wok.httpUrl, { accept: 'application/nostr+json' })).body);
  const cli = (...args: string[]) =>
    run(process.execPath, [join(packageRoot, 'dist/src/wok.js'), ...args], { cwd: directory }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    );
  return { wok, write, information, cli, directory, file };
}

describe('SIGHUP', () => {
  it('applies what applies live, names what needs a restart, and logs old and new values', async () => {
    const { wok, write, information } = await started('[info]\nname = "before"\n');
    const client = await Client.connect(wok.url);
    write('[info]\nname = "after"\n[limits]\ntags_max = 3\n[io]\npath = "/other"\n');
    wok.signal('SIGHUP');
    await until(() => wok.out.includes('was read again'), 'the reload');
    expect((await information()).name).toBe('after');
    expect((await information()).limitation.max_event_tags).toBe(3);
    expect(wok.out).toContain('info.name is "after" now  from="before"');
    expect(wok.out).toContain('limits.tags_max is 3 now  from=2000');
    expect(wok.out).toMatch(
      /warn {2}io\.path cannot change .* it becomes "\/other" with a restart/,
    );
    // The ingester applies it as well, on a connection from before the reload.
    const tags = [['a'], ['b'], ['c'], ['d']];
    expect((await client.publish(author.event({ tags })))[2]).toBe(false);
    expect((await client.publish(author.event({ tags: tags.slice(1) })))[2]).toBe(true);
  });

  it('changes nothing when the file is wrong, and says why', async () => {
    const { wok, write, information } = await started('[info]\nname = "before"\n');
    for (const [text, why] of [
      ['[info]\nname = "after"\n[limits]\ntags_maximum = 3\n', 'line 4'],
      ['[info]\nname = after\n', 'this is not TOML'],
      // Valid by itself, but a larger message is only taken after a restart.
      [
        '[info]\nname = "after"\n[limits]\nmessage_bytes_max = 2_000_000\nevent_bytes_max = 1_000_000\n',
        'limits.message_bytes_max cannot change while the relay runs',
      ],
    ] as const) {
      const seen = wok.out.length;
      write(text);
      wok.signal('SIGHUP');
      await until(() => wok.out.slice(seen).includes('stay as they are'), 'the refusal');
      expect(wok.out.slice(seen)).toContain(why);
      expect((await information()).name).toBe('before');
    }
    write('[info]\nname = "at last"\n');
    wok.signal('SIGHUP');
    await until(() => wok.out.includes('was read again'), 'the reload');
    expect((await information()).name).toBe('at last');
  });

  it('is survived by a relay that has no file at all, however often it comes', async () => {
    const wok = await WokProcess.start();
    for (let i = 0; i < 20; i++) wok.signal('SIGHUP');
    await until(() => wok.out.includes('was read again'), 'the reload');
    expect(wok.out).toMatch(/was read again {2}changed=0 waiting=0/);
    const client = await Client.connect(wok.url);
    expect((await client.publish(author.event()))[2]).toBe(true);
  });
});

describe('wok reload', () => {
  it('finds the relay by its directory and has it read its file again', async () => {
    const { wok, write, information, cli, directory } = await started('');
    write('[info]\nname = "by command"\n');
    const told = await cli('reload', '--data', directory);
    expect(told.stdout).toBe('info.name = "by command"  (was "wok relay")\n');
    expect((await information()).name).toBe('by command');
    expect((await cli('reload', '--data', directory)).stdout).toBe('No changes.\n');
    expect(wok.out).toContain('info.name is "by command" now');
  });

  it('prints a mistake in the file, and changes nothing in the relay', async () => {
    const { wok, write, cli, file, directory } = await started('');
    write('[limits]\nlimit_max = "many"\n');
    const told = await cli('reload', '--config', file, '--data', directory);
    expect(told.code).toBe(exitCodes.config);
    expect(told.stderr).toContain('limits.limit_max');
    expect(wok.out).not.toContain('stay as they are');
  });

  it('fails when the relay does not take it, and says why', async () => {
    const { write, cli, directory } = await started('');
    write('[limits]\nmessage_bytes_max = 2_000_000\nevent_bytes_max = 1_000_000\n');
    const told = await cli('reload', '--data', directory);
    expect(told.code).toBe(exitCodes.refused);
    expect(told.stderr).toContain('cannot change while the relay runs');
    expect(told.stderr).toContain('All settings stay as they are');
  });

  it('says so when no relay runs there', async () => {
    const { wok, cli, directory } = await started('');
    await wok.kill();
    const told = await cli('reload', '--data', directory);
    expect(told.code).toBe(exitCodes.unavailable);
    expect(told.stderr).toContain(`no relay runs on ${directory}`);
  });
});

describe('identity.urls', () => {
  const WARNING = /warn .*identity\.urls is empty.*\[identity\] urls = /;

  it('is asked for where something needs it, at the start and when a reload switches it on', async () => {
    const quiet = await started('');
    expect(quiet.wok.out).not.toContain('identity.urls');
    quiet.write(`[admin]\npubkeys = ["${author.pubkey}"]\n`);
    quiet.wok.signal('SIGHUP');
    await until(() => quiet.wok.out.includes('was read again'), 'the reload');
    expect(quiet.wok.out).toMatch(WARNING);
    expect(quiet.wok.out).toMatch(/authorizations to manage.*\(admin\.pubkeys\).*vanish/);
    // The change of another option does not repeat the warning.
    quiet.write(`[admin]\npubkeys = ["${author.pubkey}"]\n[info]\nname = "other"\n`);
    quiet.wok.signal('SIGHUP');
    await until(() => quiet.wok.out.split('was read again').length === 3, 'the second reload');
    expect(quiet.wok.out.split('identity.urls is empty').length).toBe(2);

    const needy = await started('[auth]\nrequired = "write"\n');
    await until(() => WARNING.test(needy.wok.out), 'the warning');
    expect(needy.wok.out).toMatch(/authentications \(NIP-42\).*\(auth\.required\)/);
    expect(needy.wok.out).not.toContain('authorizations to manage');
  });

  it.each([
    [{}, null],
    [{ 'auth.dm_inbox': true }, /\(auth\.dm_inbox\)/],
    [{ 'membership.enabled': true, 'identity.vanish': false }, /\(membership\.enabled\)$/],
    [{ 'admin.moderators': [author.pubkey] }, /\(admin\.moderators\)/],
    [{ 'info.pubkey': author.pubkey }, /\(info\.pubkey\)/],
    [{ 'auth.required': 'all', 'identity.urls': ['wss://relay.example'] }, null],
  ] as [Settings, RegExp | null][])('%j', (settings, wanted) => {
    const advice = identityAdvice(testConfig(freshDirectory(), settings));
    if (wanted === null) expect(advice).toBe(null);
    else expect(advice).toMatch(wanted);
  });
});
