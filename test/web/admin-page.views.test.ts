// Every view of the page /admin in a real browser: contents, charts, accessibility, keyboard and
// small screens. In-process relay under load. Skipped without a browser.

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { logIn } from '../support/admin-browser.ts';
import { Author, now } from '../support/author.ts';
import { accessibilityFaults } from '../support/axe.ts';
import { inBrowser, noBrowser, useBrowser } from '../support/browser.ts';
import { Client } from '../support/client.ts';
import { until } from '../support/process.ts';
import { startRelay, type TestRelay } from '../support/relay.ts';

/**
 * Console messages to expect: there is no session at first, a search is wrong once, and a relay in
 * this process has no file to read.
 */
const REFUSED = /status of (400|401|409)/;
/** Text that would do something if it were HTML. */
const HOSTILE = '<img src=x onerror="document.title=1"> <b>words</b> & "quotes"';

const browser = useBrowser();
const admin = new Author();
const authors = Array.from({ length: 4 }, () => new Author());
const clients: Client[] = [];
const events: NostrEvent[] = [];
let relay: TestRelay;
let page: Page & { faults: string[] };
let load: NodeJS.Timeout;

beforeAll(async () => {
  relay = await startRelay({
    'admin.pubkeys': [admin.pubkey],
    'info.name': 'Views',
    'metrics.slow_query_milliseconds': 1,
    'retention.age': ['7=1d'],
    'spam.mode': 'enforce',
    'spam.points': ['new-key 0'],
    'spam.quarantine_points': 8,
    'spam.reject_points': 0,
    'query.workers': 1,
    'ingester.workers': 1,
    // Nothing listens there.
    peers: JSON.stringify([{ urls: ['ws://127.0.0.1:9'], name: 'nowhere', dir: 'both' }]),
  });
  for (let n = 0; n < 3; n++) clients.push(await Client.connect(relay.url));
  for (let n = 0; n < 60; n++) {
    const tags = [['t', n % 2 === 0 ? 'even' : 'odd']];
    const content = n === 7 ? HOSTILE : `harbour ${n} ${'long '.repeat(n === 9 ? 300 : 1)}`;
    const kind = n % 10 === 5 ? 7 : 1;
    const created_at = now() - n * 7200;
    const event = authors[n % 4]!.event({ content, tags, kind, created_at });
    events.push(event);
    expect((await clients[0]!.publish(event))[2]).toBe(true);
  }
  const tags = [
    ['e', events[7]!.id, 'spam'],
    ['p', events[7]!.pubkey],
  ];
  for (const author of authors.slice(0, 2)) {
    await clients[0]!.publish(author.event({ kind: 1984, tags, content: `says ${HOSTILE}` }));
  }
  const hashtags = Array.from({ length: 30 }, (_, n) => ['t', `tag${n}`]);
  await clients[0]!.publish(authors[3]!.event({ content: 'held back text', tags: hashtags }));
  for (const client of clients) client.send(['REQ', 'live', { kinds: [1], limit: 1 }]);
  let n = 0;
  load = setInterval(() => {
    for (const client of clients) {
      client.inbox.length = 0;
      client.send(['EVENT', authors[n % 3]!.event({ content: `load ${n}` })]);
      client.send(['REQ', `q${n++ % 4}`, { kinds: [1, 7], limit: 50 }]);
    }
  }, 250);
  page = await browser.open();
  await logIn(page, relay.httpUrl, admin);
});

afterAll(async () => {
  clearInterval(load);
  for (const { socket } of clients) socket.terminate();
  if (page) await browser.close(page, REFUSED);
  await relay?.stop();
});

/** Opens a view and waits until it has these texts. */
async function open(hash: string, ...texts: (string | RegExp)[]): Promise<void> {
  await page.goto(`${relay.httpUrl}/admin#/${hash}`);
  for (const text of texts) await page.locator('#main').getByText(text).first().waitFor();
}

/** Loads more until the page shows the text `end`. */
async function allOf(end: string): Promise<void> {
  const more = page.getByRole('button', { name: 'Show more' });
  await until(async () => {
    if (await more.isVisible()) await more.click({ timeout: 1_000 }).catch(() => {});
    return page.getByText(end).isVisible();
  }, end);
}

const VIEWS: [string, () => string, (string | RegExp)[]][] = [
  [
    'overview',
    () => 'overview',
    ['Healthy.', 'Query latency (REQ to EOSE)', 'EVENT to OK', 'writer 0'],
  ],
  ['traffic', () => 'traffic', ['127.0.0.1', /kinds 1,? ?7/]],
  ['reports', () => 'reports', ['2 reports', HOSTILE, 'Dismiss…']],
  ['quarantine', () => 'quarantine', ['held back text', /points/]],
  ['lists', () => 'lists', ['Banned keys', /in all/]],
  ['events', () => 'events?words=harbour&tags=t%3Deven', ['harbour 2', /seq \d+ of the log/]],
  ['audit', () => 'audit', ['log in']],
  ['people', () => 'people', ['Members', 'New role…']],
  ['retention', () => 'retention', ['Preview']],
  ['peers', () => 'peers', ['nowhere', 'not reached', /ECONNREFUSED/]],
  ['event', () => `event/${events[7]!.id}`, ['Stored', `"kind": 1`]],
  ['person', () => `person/${authors[1]!.pubkey}`, [/events stored/, 'Events of the key']],
];

describe.skipIf(noBrowser)(`views ${inBrowser}`, () => {
  it.each(VIEWS)('%s shows what there is, in both schemes, on a phone', async (_, hash, texts) => {
    await page.setViewportSize({ width: 1280, height: 900 });
    await open(hash(), ...texts);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await accessibilityFaults(page)).toEqual([]);
    }
    await page.setViewportSize({ width: 320, height: 640 });
    const tooWide = 'document.documentElement.scrollWidth - innerWidth';
    expect(await page.evaluate(tooWide)).toBeLessThanOrEqual(0);
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it('draw the charts and update them', async () => {
    await page.setViewportSize({ width: 1280, height: 900 });
    await open('overview', 'Healthy.');
    const chart = page.getByRole('img', { name: /^Events\. accepted: .* to .*, now / });
    await chart.waitFor();
    expect(await chart.locator('canvas').count()).toBe(1);
    const drawn = `(() => {
      const canvas = document.querySelector('[aria-label^="Events."] canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value !== 0);
    })()`;
    expect(await page.evaluate(drawn)).toBe(true);
    const before = await chart.getAttribute('aria-label');
    await until(async () => {
      // Without it, a steady load would draw the same figures again.
      clients[0]!.send(['EVENT', authors[0]!.event({ content: 'more' })]);
      const now = await page.locator('[aria-label^="Events."]').getAttribute('aria-label');
      return now !== before;
    }, 'the next sample');
    const accepted = page.locator('.figures div', { hasText: 'Events accepted' }).locator('dd');
    expect(Number.parseFloat((await accepted.textContent())!)).toBeGreaterThan(0);
  });

  it('show content of events as text', async () => {
    await open(`event/${events[7]!.id}`, 'Stored', '"kind": 1');
    expect(await page.locator('#main .content').first().textContent()).toBe(HOSTILE);
    expect(await page.locator('#main img').count()).toBe(0);
    await open('reports', '2 reports');
    await page.getByText('Reporters and reasons (2)').click();
    await page.getByText(`says ${HOSTILE}`).first().waitFor();
    expect(await page.title()).toBe('Reports · Views');
  });
});

describe.skipIf(noBrowser)(`keyboard and search ${inBrowser}`, () => {
  it('work by keyboard: focus on the heading, Tab order, and the menu on a phone', async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    await open('overview', 'Healthy.');
    const menu = page.getByRole('button', { name: 'Overview' });
    await menu.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Traffic' }).focus();
    await page.keyboard.press('Escape');
    expect(await menu.evaluate('document.activeElement.getAttribute("aria-expanded")')).toBe(
      'false',
    );
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Audit log' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Audit log' }).waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Audit log');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.tagName')).toBe('INPUT');
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  it('page through a long search, and show the JSON of an event', async () => {
    await open('events?words=harbour', /50 events so far/);
    expect(await page.locator('.queue > li').count()).toBe(50);
    await allOf('59 entries in total.');
    await page.locator('.queue > li').first().getByRole('button', { name: 'JSON' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`"id": "${events[0]!.id}"`).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  it('find by author, kind and id, and name what is wrong with a search', async () => {
    await open(`events?authors=${authors[1]!.pubkey}&kinds=7`, /in total/);
    expect(await page.locator('.queue > li').count()).toBe(3);
    await open(`events?ids=${events[4]!.id}`, '1 entry in total.');
    await open('events?words=harbour&kinds=seven', /“seven” is not a kind/);
    await open('events?authors=npub1nonsense', /npub/);
    await page.getByRole('alert').waitFor();
    await open('events?words=nobodysaidthis', 'No events found; all candidates were checked.');
  });
});
