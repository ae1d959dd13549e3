// Pictures of the pages / and /admin for the documents (npm run screenshots): a relay lives
// through an hour of a generated community in some minutes, and Chromium takes the pictures.

import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/paths.ts';
import { canonicalJson } from '../../src/protocol/canonical.ts';
import { logIn } from '../support/admin-browser.ts';
import { browserFile, useBrowser } from '../support/browser.ts';
import { Client } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory } from '../support/relay.ts';
import { runWok } from '../support/wok.ts';
import {
  type Generated,
  generated,
  NAMES,
  person,
  profile,
  REPORTED,
  suspicious,
} from './community.ts';
import { clockFlag, type FastClock, timeOf } from './fast-clock.ts';
import { Hour } from './hour.ts';

const FOLDER = join(packageRoot, 'docs/images');
/** Size above which a picture is too large for a document; a smaller window makes it smaller. */
const BYTES_MAX = 150_000;
const MINUTE = 60_000;
/** Age of the relay; the charts of the page / show an hour. */
const BEHIND = 62 * MINUTE;
const SPEED = 15;
const EVENTS_A_SECOND = 4;
/** Events that are stored before the relay starts. */
const ARCHIVE = 40_000;
/** Seconds for which the load goes on at most after the clock is right. */
const SECONDS_AFTER = 600;
/** Seconds of the load at the real pace before the pictures. */
const SECONDS_BEFORE = 30;

/** Console messages to expect: there is no session before the login. */
const REFUSED = /status of 401/;

const DESKTOP = { width: 1280, height: 720 };
const PHONE = { width: 390, height: 844 };

/** Views of /admin that need no subject. */
const VIEWS = [
  'overview',
  'traffic',
  'reports',
  'quarantine',
  'lists',
  'events',
  'audit',
  'people',
  'retention',
  'config',
];

const admin = person('admin');
const moderator = person('moderator');

const SETTINGS = {
  'info.name': 'relay.example.com',
  'info.description':
    'A relay for the people of Example Town and their friends. Notes, articles and pictures are welcome; advertisements are not.',
  'info.contact': 'mailto:admin@relay.example.com',
  'identity.urls': ['wss://relay.example.com'],
  'admin.pubkeys': [admin.pubkey],
  'admin.moderators': [moderator.pubkey],
  'spam.mode': 'enforce',
  'spam.points': ['new-key 0'],
  'spam.quarantine_points': 8,
  'spam.reject_points': 0,
  'retention.age': ['7=90d'],
  'io.connections_max': 2_000,
};

const browser = useBrowser();

async function open(options: BrowserContextOptions) {
  return browser.open({
    colorScheme: 'light',
    deviceScaleFactor: 1,
    locale: 'en-GB',
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    viewport: DESKTOP,
    ...options,
  });
}

async function takeHome(wok: WokProcess): Promise<void> {
  const page = await open({});
  await page.goto(wok.httpUrl);
  await page.locator('[data-live][data-state=live]').waitFor();
  await take(page, 'home');
  await browser.close(page);
}

async function takeAdmin(wok: WokProcess): Promise<void> {
  const page = await open({});
  await logIn(page, wok.httpUrl, admin, '#/overview');
  await showCharts(page);
  await take(page, 'admin');
  await page.emulateMedia({ colorScheme: 'dark' });
  await take(page, 'admin-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${wok.httpUrl}/admin#/reports`);
  await page.locator('.content', { hasText: REPORTED[0]!.text }).waitFor();
  await take(page, 'admin-reports');
  await page.setViewportSize(PHONE);
  await page.goto(`${wok.httpUrl}/admin#/overview`);
  await showCharts(page);
  await take(page, 'admin-phone');
  await browser.close(page, REFUSED);
}

/** Writes whole pictures of every view, for a desk and a phone, light and dark, to a folder. */
async function takeEverything(wok: WokProcess, events: Generated, folder: string) {
  const page = await open({});
  await logIn(page, wok.httpUrl, admin, '#/overview');
  const note = events.event(ARCHIVE - 1);
  const addresses = [
    '/',
    ...VIEWS.map((view) => `/admin#/${view}`),
    `/admin#/event/${note.id}`,
    `/admin#/person/${note.pubkey}`,
  ];
  for (const address of addresses) {
    await page.goto(wok.httpUrl + address);
    await page.locator('main h1').waitFor();
    for (const [size, viewport] of Object.entries({ desk: DESKTOP, phone: PHONE })) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await loaded(page);
        const name = address.replace('/admin#/', '').split('/')[0] || 'home';
        const path = join(folder, `${name}-${size}-${colorScheme}.png`);
        await page.screenshot({ path, animations: 'disabled', fullPage: true });
      }
    }
  }
  const outside = await open({});
  await outside.goto(`${wok.httpUrl}/admin`);
  await outside.getByText('No signer was found').waitFor();
  await outside.screenshot({ path: join(folder, 'login-desk-light.png') });
  await browser.close(outside, REFUSED);
  await browser.close(page, REFUSED);
}

describe('screenshots', () => {
  it('are made of a relay that has lived for an hour', async () => {
    expect(browserFile, 'chromium: deploy/install-system-packages.sh --with-test-tools').not.toBe(
      null,
    );
    const directory = freshDirectory();
    const seconds = (BEHIND / 1000 + SECONDS_AFTER) * EVENTS_A_SECOND;
    const end = Math.floor(Date.now() / 1000) + SECONDS_AFTER;
    const events = await generated(ARCHIVE + seconds, EVENTS_A_SECOND, end);
    await importArchive(directory, events);

    const clock = { realStart: Date.now(), behind: BEHIND, speed: SPEED };
    const wok = WokProcess.spawn(SETTINGS, directory, [clockFlag(clock)]);
    await wok.listening();
    const hour = new Hour({
      url: wok.url,
      clock,
      generated: events,
      first: ARCHIVE,
      perSecond: EVENTS_A_SECOND,
    });
    onTestFinished(() => hour.stop());
    await moderate(wok, directory, clock, events);

    await until(() => timeOf(clock) === Date.now(), 'the clock to be right');
    const enough = hour.sent + SECONDS_BEFORE * EVENTS_A_SECOND;
    await until(() => hour.sent >= enough, 'events at the real pace');
    mkdirSync(FOLDER, { recursive: true });
    await takeHome(wok);
    await takeAdmin(wok);
    const everything = process.env.WOK_SCREENSHOTS_ALL;
    if (everything !== undefined) await takeEverything(wok, events, everything);
  });
});

/** Stores the first events, as `wok import` does for a relay that moves in. */
async function importArchive(directory: string, events: Generated): Promise<void> {
  const lines = Array.from({ length: ARCHIVE }, (_, at) => canonicalJson(events.event(at)));
  const file = join(freshDirectory(), 'archive.jsonl');
  writeFileSync(file, lines.join('\n'));
  const { code, err } = await runWok(['import', file, '--data', directory]);
  expect(code, err).toBe(0);
}

/** Has people report, the spam stage hold back, and moderators decide, over the hour. */
async function moderate(
  wok: WokProcess,
  directory: string,
  clock: FastClock,
  events: Generated,
): Promise<void> {
  const client = await Client.connect(wok.url);
  const control = await Control.connect(directory);
  onTestFinished(() => {
    client.socket.terminate();
    control.socket.destroy();
  });
  const begun = timeOf(clock);
  const seconds = () => Math.floor(timeOf(clock) / 1000);
  const minute = (number: number) =>
    until(() => timeOf(clock) >= begun + number * MINUTE, `minute ${number}`);
  const publish = async (event: unknown) => {
    const [, , accepted, sentence] = await client.publish(event);
    expect(accepted, String(sentence)).toBe(true);
  };
  const reason = (text: string) => ({ reason: text });

  for (const name of NAMES) await publish(profile(person(name), name, seconds()));
  const noisy = events.event(ARCHIVE).pubkey;
  await minute(8);
  await control.ask('mod.put', {
    list: 'pubkey',
    subject: noisy,
    stance: 'ban',
    ...reason('floods every thread'),
  });
  for (let number = 1; number <= 5; number++) {
    await minute(10 + number * 4);
    await publish(suspicious(person(`seller ${number % 2}`), number, seconds()));
  }
  await control.ask('mod.put', {
    list: 'ip',
    subject: '198.51.100.0/24',
    stance: 'ban',
    ...reason('scrapes around the clock'),
  });
  let at = 36;
  for (const { by, text, reports } of REPORTED) {
    const note = person(by).event({ content: text, created_at: seconds() });
    await publish(note);
    for (const [from, type, content] of reports) {
      await minute(++at);
      const tags = [
        ['e', note.id, type],
        ['p', note.pubkey],
      ];
      await publish(person(from).event({ kind: 1984, tags, content, created_at: seconds() }));
    }
  }
}

/** Waits until a page shows what it was loading. */
function loaded(page: Page): Promise<void> {
  return until(async () => (await page.locator('main .progress').count()) === 0, 'the content');
}

/** Waits until the charts of the overview are drawn. */
async function showCharts(page: Page): Promise<void> {
  await page.getByText('Healthy.').waitFor();
  await page.getByRole('img', { name: /^Events\. accepted: .* to .*, now / }).waitFor();
}

/** Writes the picture of what the window shows to `docs/images`. */
async function take(page: Page, name: string): Promise<void> {
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  expect.soft(statSync(path).size, path).toBeLessThanOrEqual(BYTES_MAX);
}
