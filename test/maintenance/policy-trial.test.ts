// `wok policy test`, run as a command: a policy over recorded events, without a relay.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import type { TrialResult } from '../../src/maintenance/policy-trial.ts';
import { Author, now } from '../support/author.ts';
import { Control } from '../support/control.ts';
import { plugins, script } from '../support/plugins.ts';
import { until } from '../support/process.ts';
import { freshDirectory, type Settings, settingFlags, startRelay } from '../support/relay.ts';
import { runWok, wokHere } from '../support/wok.ts';

interface Summary {
  summary: { events: number; accepted: number; refusedBy: object; notTried: string[] };
}

function run(lines: readonly string[], ...args: string[]) {
  return runWith({}, lines, ...args);
}

/** Runs the command with other constants. */
async function runWith(constants: Settings, lines: readonly string[], ...args: string[]) {
  const directory = freshDirectory();
  const file = join(directory, 'events.jsonl');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const command = ['policy', 'test', file, '--json', '--data', directory, ...args];
  const ran = await runWok(command, { constants });
  const rows = ran.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  const { summary } = rows.pop() as Summary;
  return { ran, summary, refused: rows as TrialResult[] };
}

describe('wok policy test', () => {
  it('tells which rule would refuse which event', async () => {
    const [author, denied] = [new Author(), new Author()];
    // Long ago: created_at stands for the time of arrival.
    const old = author.event({ created_at: now() - 10_000_000 });
    const bad = author.event({ kind: 7 });
    const forged = { ...author.event(), sig: 'a'.repeat(128) };
    const lines = [
      JSON.stringify(old),
      JSON.stringify(['EVENT', author.event()]),
      JSON.stringify({ type: 'new', event: bad }),
      JSON.stringify(denied.event()),
      JSON.stringify(forged),
      JSON.stringify({ ...old, content: 'changed' }),
      JSON.stringify({ id: 7 }),
      'no JSON',
      '',
    ];
    const { summary, refused, ran } = await run(
      lines,
      '--set',
      'policy.kinds_denied=7',
      '--set',
      `policy.pubkeys_denied=${denied.pubkey}`,
      '--set',
      'limits.created_at_past_seconds_max=1000',
      '--set',
      'plugins.commands=/bin/false',
    );
    expect(ran).toMatchObject({ code: exitCodes.ok, err: '' });
    expect(refused.map(({ rule, action }) => [action, rule])).toEqual([
      ['refused', 'kinds'],
      ['refused', 'pubkeys-denied'],
      ['refused', 'signature'],
      ['refused', 'id'],
      ['refused', 'shape'],
      ['refused', 'shape'],
    ]);
    expect(refused[0]).toMatchObject({ id: bad.id, pubkey: author.pubkey, kind: 7 });
    expect(summary).toMatchObject({
      events: 8,
      accepted: 2,
      refusedBy: { kinds: 1, 'pubkeys-denied': 1, signature: 1, id: 1, shape: 2 },
      notTried: ['plugins are not queried; --plugins starts and queries them'],
    });
    const trusting = await run(lines.slice(4, 5), '--no-verify');
    expect(trusting.summary.accepted).toBe(1);
  });

  it('applies the access lists of the data directory, and rules about authentication', async () => {
    const directory = freshDirectory();
    const author = new Author();
    const relay = await startRelay({}, directory);
    const control = await Control.connect(directory);
    await control.ask('mod.put', { list: 'pubkey', subject: author.pubkey, stance: 'ban' });
    control.socket.destroy();
    const file = join(directory, 'events.jsonl');
    const guarded = new Author().event({ tags: [['-']] });
    writeFileSync(file, [author.event(), guarded].map((one) => JSON.stringify(one)).join('\n'));
    const test = (...args: string[]) =>
      wokHere(['policy', 'test', file, '--data', directory, '--json', ...args]);
    const rules = async (...args: string[]) =>
      (await test(...args)).out
        .trim()
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as TrialResult).rule);
    const [first, second] = await rules();
    expect(first).toBe('pubkey-banned');
    expect(second).toBeDefined();
    expect(await rules('--authed')).toEqual(['pubkey-banned']);
    await relay.stop();
  });
});

describe('modules and plugins in wok policy test', () => {
  it('are queried: modules', async () => {
    const directory = freshDirectory();
    mkdirSync(directory, { recursive: true });
    const module = join(directory, 'no-cats.mjs');
    writeFileSync(
      module,
      "export function acceptEvent(event) { return event.content.includes('cat') ? 'blocked: no cats' : true; }\n",
    );
    const [cat, dog] = ['a cat', 'a dog'].map((content) => new Author().event({ content }));
    const lines = [cat, dog].map((event) => JSON.stringify(event));
    const { refused } = await run(lines, '--set', `policy.modules=${module}`);
    expect(refused).toMatchObject([{ id: cat!.id, rule: 'module', text: 'blocked: no cats' }]);
  });

  it('are queried with --plugins as by a relay, and ended: plugins', async () => {
    const directory = freshDirectory();
    const [asked, pid] = [join(directory, 'asked'), join(directory, 'pid')];
    const command = `echo $$ > ${pid}; WOK_TEST_ASKED=${asked} exec python3 ${script('whitelist.py')}`;
    const author = new Author();
    const events = ['fine', 'refuse this', 'shadow this', 'fine, too'].map((content, i) =>
      author.event({ content, kind: i === 3 ? 7 : 1, created_at: 1_700_000_000 + i }),
    );
    const set = (settings: Settings) => settingFlags(settings).flatMap((one) => ['--set', one]);
    const patient = { 'plugins.timeout_milliseconds': 60_000 };
    const { summary, refused } = await run(
      events.map((event) => JSON.stringify(event)),
      '--plugins',
      ...set({ ...plugins(`kinds=1 -- ${command}`), ...patient }),
    );
    expect(refused).toMatchObject([
      { id: events[1]!.id, action: 'refused', rule: 'plugin', text: 'blocked: python says no' },
      { id: events[2]!.id, action: 'shadowed', rule: 'plugin' },
    ]);
    expect(summary).toMatchObject({ events: 4, accepted: 2, notTried: [] });
    const questions = readFileSync(asked, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(questions.map(({ event }) => event.id)).toEqual(events.slice(0, 3).map(({ id }) => id));
    expect(questions[0]).toMatchObject({ sourceType: 'Stored', receivedAt: 1_700_000_000 });
    const number = Number(readFileSync(pid, 'utf8'));
    expect(number).toBeGreaterThan(1);
    expect(() => process.kill(number, 0)).toThrow('ESRCH');
  });

  it('are reported when they fail, and ended when they hang: plugins', async () => {
    const pid = join(freshDirectory(), 'pid');
    const command = `echo $$ >> ${pid}; sleep 1000 & echo $! >> ${pid}; wait`;
    const hangs = plugins(`processes=1 timeout=3s -- ${command}`);
    const flags = settingFlags(hangs).flatMap((one) => ['--set', one]);
    const lines = [1, 2, 3].map(() => JSON.stringify(new Author().event()));
    const patience = { 'plugins.breaker_failures': 2 };
    const { summary, refused, ran } = await runWith(patience, lines, '--plugins', ...flags);
    expect(refused.map(({ rule, text }) => [rule, text.split(':')[0]])).toEqual(
      lines.map(() => ['plugin', 'error']),
    );
    expect(summary.notTried).toEqual([expect.stringMatching(/^plugins failed: silent, \d times$/)]);
    expect(ran.err).toContain('circuit breaker is open');
    // Processes left by a shell may stay zombies until another process reaps them.
    const runs = (number: string) =>
      existsSync(`/proc/${number}/stat`) &&
      !/\) Z /.test(readFileSync(`/proc/${number}/stat`, 'utf8'));
    const numbers = readFileSync(pid, 'utf8').trim().split('\n');
    expect(numbers.length).toBeGreaterThanOrEqual(2);
    await until(() => !numbers.some(runs), 'the end of the processes');
  });
});

describe('the output of wok policy test', () => {
  it('is text without --json, and names what is wrong', async () => {
    const file = join(freshDirectory(), 'events.jsonl');
    writeFileSync(file, `${JSON.stringify(new Author().event({ kind: 7 }))}\n`);
    const told = await wokHere(['policy', 'test', file, '--set', 'policy.kinds_denied=7']);
    expect(told.out).toMatch(
      /^refused {2}[0-9a-f]{64} {2}kind 7 {2}kinds: blocked: .*\n1 events\n/,
    );
    const brief = await wokHere(['policy', 'test', file, '--summary']);
    expect(brief.out).toMatch(/^1 events\naccepted {2}1 {2}100\.0 %\n$/);
    const missing = await wokHere(['policy', 'test', '/nowhere.jsonl']);
    expect(missing).toMatchObject({ code: exitCodes.refused, out: '' });
    expect(missing.err).toContain('ENOENT');
    expect((await wokHere(['policy', 'tset'])).code).toBe(exitCodes.usage);
    expect((await wokHere(['policy', 'test', file, '--set', 'policy.kinds_denied=x'])).code).toBe(
      exitCodes.config,
    );
  });
});
