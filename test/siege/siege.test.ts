// Floods of siege/ in their short form against relays that the siege starts, its bounds as a unit,
// and its compiled command.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { NumberedFrame } from '../../siege/attack/numbered-frame.ts';
import { type Bound, breachesOf, type Figures } from '../../siege/bounds.ts';
import { killBreaches, killSentence, runKill } from '../../siege/kill.ts';
import { breachSentences, tableOfRows } from '../../siege/report.ts';
import { type Row, runScenario, SHORT } from '../../siege/run.ts';
import { unsaturatedP99 } from '../../siege/saturation.ts';
import { scenarios } from '../../siege/scenarios/list.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { packageRoot } from '../../src/paths.ts';
import { SLOW_MILLISECONDS } from '../support/ceiling.ts';
import { testEnvironment } from '../support/environment.ts';
import { testSeed } from '../support/random.ts';
import { freshDirectory } from '../support/relay.ts';

const seed = testSeed('siege/siege') % 2 ** 31;
/** Form with the bounds that hold on any machine: none of them is about speed. */
const form = { ...SHORT, patience: SLOW_MILLISECONDS, seed };

/** Runs the command of the siege to its end. */
async function siege(...args: string[]) {
  const file = join(packageRoot, 'dist/siege/main.js');
  const child = spawn(process.execPath, [file, ...args], { env: testEnvironment() });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { out, err, code };
}

describe('a relay under siege', () => {
  it.each(scenarios)('$name: $about', async (scenario) => {
    const rows = await runScenario(scenario, scenario.from, form);
    process.stdout.write(`siege/siege:\n${tableOfRows(rows)}\n`);
    expect(breachSentences(rows)).toEqual([]);
    expect(rows.map(({ acknowledged }) => acknowledged > 0)).toEqual(rows.map(() => true));
  });

  it('that is killed loses nothing', async () => {
    const report = await runKill(form);
    process.stdout.write(`siege/siege: ${killSentence(report)}\n`);
    expect(killBreaches(report, form.kills)).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(form.kills * 40);
  });
});

describe('a numbered frame', () => {
  it('is the frame of the message with that number', () => {
    const frame = new NumberedFrame('["REQ","', `",{"ids":["${'ab'.repeat(60)}"]}]`);
    for (const number of [0, 7, 12_345_678]) {
      const seen: string[] = [];
      const bytes = Buffer.concat(frame.numbered(number));
      const mask = bytes.subarray(4, 8);
      for (const [n, byte] of bytes.subarray(8).entries()) {
        seen.push(String.fromCharCode(byte ^ mask[n % 4]!));
      }
      const id = String(number).padStart(8, '0');
      expect(JSON.parse(seen.join(''))).toEqual(['REQ', id, { ids: ['ab'.repeat(60)] }]);
    }
  });
});

describe('p99 outside of saturation', () => {
  it('counts the messages whose wait has no saturated moment', () => {
    const answers = Array.from({ length: 100 }, (_, n) => ({ dueAt: n * 10, milliseconds: 5 }));
    const slow = { dueAt: 450, milliseconds: 200 };
    const all = [...answers, slow, slow];
    expect(unsaturatedP99(all, [])).toBeGreaterThan(190);
    for (const [from, to] of [
      [400, 460],
      [640, 700],
    ] as const) {
      expect(unsaturatedP99(all, [{ from, to }])).toBeLessThan(6);
    }
    expect(unsaturatedP99(all, [{ from: 651, to: 700 }])).toBeGreaterThan(190);
    expect(unsaturatedP99(all, [{ from: 0, to: 1000 }])).toBe(0);
  });
});

describe('the verdict', () => {
  const held: Figures = {
    rssStart: 200e6,
    rssPeak: 450e6,
    rssAfter: 240e6,
    publishP99: 100,
    reqP99: 100,
    slowest: 30_000,
    unsaturatedPublishP99: 100,
    unsaturatedReqP99: 100,
    workerDeaths: 0,
    hasEnded: false,
    lost: 0,
    undelivered: 0,
    deliveredTwice: 0,
    refusedBusy: 0,
    complaints: {},
    health: 'ok',
    wrong: [],
    proof: 1,
  };
  const evaluate = (change: Partial<Figures>, speed = true) =>
    breachesOf({ ...held, ...change }, { speed, patience: 30_000 }).map(({ bound }) => bound);

  it.each<[Bound, Partial<Figures>, boolean]>([
    ['RSS', { rssPeak: 451e6 }, true],
    ['RSS', { rssPeak: 751e6 }, false],
    ['RSS after', { rssAfter: 241e6 }, true],
    ['publish p99', { publishP99: 251 }, true],
    ['publish p99', { unsaturatedPublishP99: 101 }, true],
    ['REQ p99', { reqP99: 251, unsaturatedReqP99: 101 }, true],
    ['REQ p99', { unsaturatedReqP99: 101 }, true],
    ['served', { slowest: 30_001 }, false],
    ['served', { undelivered: 1 }, false],
    ['served', { deliveredTwice: 1 }, false],
    ['served', { complaints: { 'no OK': 1 } }, false],
    ['served', { refusedBusy: 1 }, true],
    ['workers', { workerDeaths: 1 }, false],
    ['workers', { hasEnded: true }, false],
    ['lost', { lost: 1 }, false],
    ['health', { health: 'writer' }, false],
    ['answers', { wrong: ['a private event was given away'] }, false],
    ['flood', { proof: 0 }, false],
  ])('breaks the bound of %s for %j', (bound, change, isOfSpeed) => {
    expect(evaluate(change)).toEqual([bound]);
    expect(evaluate(change, false)).toEqual(isOfSpeed ? [] : [bound]);
  });

  it('on kill -9 names what was lost, what was refused, and rounds that are missing', () => {
    const good = { rounds: 3, sent: 500, acknowledged: 400, lost: 0, complaints: [] };
    expect(killBreaches(good, 3)).toEqual([]);
    expect(killBreaches({ ...good, lost: 2 }, 3)).toEqual(['kill: 2 acknowledged events are lost']);
    expect(killBreaches({ ...good, complaints: ['no'] }, 4)).toEqual([
      'kill: no',
      'kill: it ended after 3 of 4 rounds',
    ]);
  });

  it('is good at the bounds themselves, with more time where the attackers saturate the machine', () => {
    expect(evaluate({})).toEqual([]);
    expect(evaluate({ publishP99: 250, reqP99: 250 })).toEqual([]);
  });
});

describe('the command', () => {
  it('runs what it is told and writes the figures', async () => {
    const file = join(freshDirectory(), 'siege.json');
    const { out, err, code } = await siege(
      ...['pings', '--short', '--attackers', '1', '--seed', '7', '--json', file],
    );
    expect(code, out + err).toBe(exitCodes.ok);
    expect(out).toMatch(/^pings +1 .* 0 of [\d,]+ +held$/m);
    const { rows, form } = JSON.parse(readFileSync(file, 'utf8')) as {
      rows: Row[];
      form: { seed: number };
    };
    expect(form.seed).toBe(7);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ scenario: 'pings', attackers: '1', lost: 0, breaches: [] });
    expect(rows[0]!.counts.frames).toBeGreaterThan(0);
  });

  it('lists the floods', async () => {
    const { out, code } = await siege('--list');
    expect(code).toBe(exitCodes.ok);
    for (const { name, about } of scenarios) expect(out).toContain(`${name}: ${about}`);
  });

  it.each([
    [['ping'], 'There is no flood "ping". Did you mean pings?'],
    [['--short', '--long'], 'Use --short or --long, not both.'],
    [['--attackers', '7'], '--attackers must be 1, 50 or loopback.'],
    [['--seed', 'x'], '--seed must be a whole number, not "x".'],
    [['--url', 'ws://relay.example'], "Unknown option '--url'"],
  ])('%j is a usage error', async (args, sentence) => {
    const { out, err, code } = await siege(...args);
    expect(err).toContain(sentence);
    expect({ out, code }).toEqual({ out: '', code: exitCodes.usage });
  });
});
