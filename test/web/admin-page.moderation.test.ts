// Moderation on the page /admin in a real browser: each action is in force for clients at once.
// In-process relay. Skipped without a browser.

import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { logIn } from '../support/admin-browser.ts';
import { Author } from '../support/author.ts';
import { accessibilityFaults } from '../support/axe.ts';
import { inBrowser, noBrowser, useBrowser } from '../support/browser.ts';
import type { Client } from '../support/client.ts';
import { until } from '../support/process.ts';
import { useRelay } from '../support/use-relay.ts';

/** Console messages to expect: there is no session at first, and a wrong key is refused. */
const REFUSED = /status of (400|401)/;

const admin = new Author();
const use = useRelay({
  'admin.pubkeys': [admin.pubkey],
  'spam.mode': 'enforce',
  'spam.points': ['new-key 0'],
  'spam.quarantine_points': 8,
  'spam.reject_points': 0,
  'query.workers': 1,
  'ingester.workers': 1,
});
const browser = useBrowser();
const reporter = new Author();

beforeAll(async () => {
  const client = await use.connect();
  expect((await client.publish(reporter.event()))[2]).toBe(true);
});

/** Stores an event and a report about it; returns the event. */
async function reported(author: Author, content: string): Promise<NostrEvent> {
  const event = author.event({ content });
  await use.client.publish(event);
  const tags = [
    ['e', event.id, 'spam'],
    ['p', event.pubkey],
  ];
  expect((await use.client.publish(reporter.event({ kind: 1984, tags })))[2]).toBe(true);
  return event;
}

async function at(hash: string): Promise<Page & { faults: string[] }> {
  const page = await browser.open();
  await logIn(page, use.relay.httpUrl, admin, `#/${hash}`);
  return page;
}

async function isStored(client: Client, event: NostrEvent): Promise<boolean> {
  return (await client.query({ ids: [event.id] })).events.length === 1;
}

describe.skipIf(noBrowser)(`report queue and quarantine ${inBrowser}`, () => {
  it('removes an event from the report queue, and refuses it from then on', async () => {
    const event = await reported(new Author(), 'to be removed');
    const page = await at('reports');
    const report = page.locator('article', { hasText: 'to be removed' });
    await report.getByRole('button', { name: 'Remove event…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('refused when it is published again').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await isStored(use.client, event)).toBe(true);

    await report.getByRole('button', { name: 'Remove event…' }).click();
    await dialog.getByLabel('Reason').fill('it is illegal');
    await dialog.getByRole('button', { name: 'Remove the event' }).click();
    await page.getByText('The event is removed and will not be accepted again.').waitFor();
    await report.waitFor({ state: 'detached' });
    expect(await isStored(use.client, event)).toBe(false);
    const [, , accepted, sentence] = await use.client.publish(event);
    expect([accepted, sentence]).toEqual([false, expect.stringMatching(/^blocked: /)]);

    await page.goto(`${use.relay.httpUrl}/admin#/audit`);
    await page.getByRole('row', { name: /ban event.*it is illegal/ }).waitFor();
    await page.goto(`${use.relay.httpUrl}/admin#/event/${event.id}`);
    await page.getByText('Not stored').waitFor();
    await page.getByText('removed', { exact: true }).waitFor();
    await browser.close(page, REFUSED);
  });

  it('dismisses a report, and the event stays', async () => {
    const event = await reported(new Author(), 'harmless');
    const page = await at('reports');
    const report = page.locator('article', { hasText: 'harmless' });
    await report.getByRole('button', { name: 'Dismiss…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Dismiss' }).click();
    await page.getByText('1 report dismissed.').waitFor();
    await report.waitFor({ state: 'detached' });
    expect(await isStored(use.client, event)).toBe(true);
    await browser.close(page, REFUSED);
  });

  it('releases an event from quarantine', async () => {
    const tags = Array.from({ length: 30 }, (_, n) => ['t', `tag${n}`]);
    const event = new Author().event({ content: 'held for a look', tags });
    await use.client.publish(event);
    expect(await isStored(use.client, event)).toBe(false);
    const page = await at('quarantine');
    const held = page.locator('article', { hasText: 'held for a look' });
    await held.getByRole('button', { name: 'Release…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
    await held.waitFor({ state: 'detached' });
    await until(() => isStored(use.client, event), 'the released event');
    await browser.close(page, REFUSED);
  });
});

describe.skipIf(noBrowser)(`bans and lists ${inBrowser}`, () => {
  it('bans an author and removes all events of the key, by keyboard', async () => {
    const author = new Author();
    const first = await reported(author, 'first of the banned');
    const other = author.event({ content: 'second of the banned' });
    await use.client.publish(other);
    const kept = await reported(new Author(), 'another report');
    const page = await at('reports');
    const report = page.locator('article', { hasText: 'first of the banned' });
    await report.waitFor();
    const isAt = () => report.evaluate((one) => one.contains(one.ownerDocument.activeElement));
    await page.locator('.queue article').first().focus();
    for (let n = 0; n < 5 && !(await isAt()); n++) await page.keyboard.press('j');
    expect(await isAt()).toBe(true);
    await page.keyboard.press('b');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await dialog.getByLabel('Duration').selectOption('7 days');
    await dialog.getByLabel('Also remove all stored events').check();
    await dialog.getByLabel('Reason').focus();
    await page.keyboard.type('spam again and again');
    await page.keyboard.press('Enter');
    await page.getByText(/The key is banned\. 2 events removed\./).waitFor();
    await report.waitFor({ state: 'detached' });
    // The focus moves on to a report that is left.
    expect(await page.evaluate('document.activeElement.tagName')).toBe('ARTICLE');
    for (const event of [first, other]) expect(await isStored(use.client, event)).toBe(false);
    expect(await isStored(use.client, kept)).toBe(true);
    const client = await use.connect();
    const [, , accepted, sentence] = await client.publish(author.event());
    expect([accepted, sentence]).toEqual([false, expect.stringMatching(/^blocked: /)]);

    await page.goto(`${use.relay.httpUrl}/admin#/lists/pubkey-ban`);
    const row = page.getByRole('row', { name: /spam again and again/ });
    await row.getByText('in 6').waitFor();
    await row.getByRole('button', { name: 'End…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
    await row.waitFor({ state: 'detached' });
    const again = await use.connect();
    expect(
      (await again.publish(author.event({ created_at: 2 + Math.floor(Date.now() / 1000) })))[2],
    ).toBe(true);
    await browser.close(page, REFUSED);
  });

  it('adds to lists, names what is wrong with an entry, and searches', async () => {
    const author = new Author();
    const page = await at('lists/pubkey-ban');
    await page.getByRole('button', { name: 'Ban…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Ban', exact: true }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Public key').fill('npub1nonsense');
    await dialog.getByRole('button', { name: 'Ban', exact: true }).click();
    await dialog
      .getByRole('alert')
      .getByText(/npub1nonsense|public key/)
      .waitFor();
    await dialog.getByLabel('Public key').fill(author.pubkey);
    await dialog.getByLabel('Reason').fill('by hand');
    await dialog.getByRole('button', { name: 'Ban', exact: true }).click();
    await page.getByRole('row', { name: /by hand/ }).waitFor();
    expect((await use.client.publish(author.event()))[2]).toBe(false);
    await page.getByLabel('Search').fill('no such reason');
    await page.getByText('The list is empty.').waitFor();
    await page.getByLabel('Search').fill('BY HAND');
    await page.getByRole('row', { name: /by hand/ }).waitFor();
    await page.goto(`${use.relay.httpUrl}/admin#/lists/kind-ban`);
    await page.getByRole('button', { name: 'Ban…' }).click();
    await dialog.getByLabel('Kind').fill('7');
    await dialog.getByRole('button', { name: 'Ban', exact: true }).click();
    await page.getByRole('row', { name: /kind 7 \(reaction\)/ }).waitFor();
    expect((await use.client.publish(new Author().event({ kind: 7 })))[2]).toBe(false);
    await browser.close(page, REFUSED);
  });
});
