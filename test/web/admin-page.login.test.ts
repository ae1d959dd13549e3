// Login to the page /admin in a real browser: admission, the sentence for each refusal, and the end
// of a session. In-process relay. Skipped without a browser.

import { npubEncode } from 'nostr-tools/nip19';
import { describe, expect, it } from 'vitest';
import { enter, giveSigner, logIn } from '../support/admin-browser.ts';
import { Author, now } from '../support/author.ts';
import { accessibilityFaults } from '../support/axe.ts';
import { inBrowser, noBrowser, useBrowser } from '../support/browser.ts';
import { until } from '../support/process.ts';
import { testConfig } from '../support/relay.ts';
import { useRelay } from '../support/use-relay.ts';

/** Console messages to expect: the browser writes every answer without success to the console. */
const REFUSED = /status of (401|403|429|503)/;

const admin = new Author();
const moderator = new Author();
const SETTINGS = {
  'admin.pubkeys': [admin.pubkey],
  'admin.moderators': [moderator.pubkey],
  'info.name': 'Relay <b>under</b> test',
  'query.workers': 1,
  'ingester.workers': 1,
};
const use = useRelay(SETTINGS);
const browser = useBrowser();
const url = () => `${use.relay.httpUrl}/admin`;

describe.skipIf(noBrowser)(`logging in ${inBrowser}`, () => {
  it('shows name, role and end of the session, and logs out', async () => {
    const page = await browser.open();
    await logIn(page, use.relay.httpUrl, admin);
    const head = page.getByRole('banner');
    await head.getByText('Relay <b>under</b> test').waitFor();
    await head.getByText('admin', { exact: true }).waitFor();
    await head.getByText(/session ends in 11.h/).waitFor();
    const npub = npubEncode(admin.pubkey);
    expect(await head.locator(`a[href="#/person/${npub}"][title="${npub}"]`).count()).toBe(1);
    await page.reload();
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await browser.close(page, REFUSED);
  });

  it('shows moderators only their views', async () => {
    const page = await browser.open();
    await logIn(page, use.relay.httpUrl, moderator);
    const views = page.getByRole('navigation', { name: 'Views' });
    await views.getByRole('link', { name: 'Reports' }).waitFor();
    expect(await views.getByRole('link', { name: 'Configuration' }).count()).toBe(0);
    expect(await views.getByRole('link', { name: 'Traffic' }).count()).toBe(0);
    await page.goto(`${url()}#/config`);
    await page.getByText('This view is for admins of the relay only').waitFor();
    await page.goto(`${url()}#/lists`);
    await page.getByRole('link', { name: 'Banned events' }).waitFor();
    expect(await page.getByRole('link', { name: 'Banned addresses' }).count()).toBe(0);
    await browser.close(page, REFUSED);
  });

  it('finds a signer that appears late, and says that there is none until then', async () => {
    const page = await browser.open();
    const signer = await giveSigner(page, (draft) => admin.event(draft), true);
    await page.goto(url());
    await page.getByText('No signer was found in this browser').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await signer.appear();
    await enter(page);
    await browser.close(page, REFUSED);
  });

  it('says that it needs JavaScript where there is none', async () => {
    const page = await browser.open({ javaScriptEnabled: false });
    await page.goto(url());
    const sentence = page.locator('noscript p');
    expect(await sentence.isVisible()).toBe(true);
    expect(await sentence.textContent()).toContain('This page needs JavaScript');
    expect(await page.title()).toBe('Relay <b>under</b> test: administration');
    expect(await page.getByText('Loading').isVisible()).toBe(false);
    await browser.close(page);
  });
});

describe.skipIf(noBrowser)(`refused logins ${inBrowser}`, () => {
  it.each<[string, () => (draft: object) => unknown, RegExp]>([
    [
      'that the signer refused',
      () => () => {
        throw new Error('User rejected');
      },
      /signer did not sign \(it says: User rejected\)/,
    ],
    [
      'that the key is no admin',
      () => (draft) => new Author().event(draft),
      /may not manage the relay/,
    ],
    [
      'that the clock is wrong',
      () => (draft) => admin.event({ ...draft, created_at: now() - 3600 }),
      /more than 60 seconds from this clock/,
    ],
    ['that the signer returned no event', () => () => 'nothing', /did not return a signed event/],
    [
      'that the signature is wrong',
      () => (draft) => ({ ...admin.event(draft), sig: 'ab'.repeat(64) }),
      /signature of the authorization is wrong/,
    ],
  ])('tell %s', async (_, sign, sentence) => {
    const page = await browser.open({ colorScheme: 'dark' });
    await giveSigner(page, sign());
    await page.goto(url());
    await page.getByText('A signer was found').waitFor();
    await page.getByRole('button', { name: 'Log in with your key' }).click();
    await page.getByText(sentence).waitFor();
    expect(await page.getByRole('button', { name: 'Log out' }).count()).toBe(0);
    expect(await accessibilityFaults(page)).toEqual([]);
    await browser.close(page, REFUSED);
  });

  it('tell how far the clock of the device is off', async () => {
    const page = await browser.open();
    const began = Date.now();
    await page.clock.setFixedTime(began - 600_000);
    await giveSigner(page, (draft) => admin.event(draft));
    await page.goto(url());
    await page.getByText('A signer was found').waitFor();
    await page.getByRole('button', { name: 'Log in with your key' }).click();
    const told = /clock of this device is (\d+) seconds behind/;
    const text = await page.getByText(told).textContent();
    const behind = Number(told.exec(text!)![1]);
    expect(behind).toBeGreaterThanOrEqual(599);
    // The clock of the browser stands still.
    expect(behind).toBeLessThanOrEqual(601 + (Date.now() - began) / 1000);
    await browser.close(page, REFUSED);
  });

  it('tell when to try again after too many failures', async () => {
    const page = await browser.open();
    await giveSigner(page, (draft) => new Author().event(draft));
    await page.goto(url());
    await page.getByText('A signer was found').waitFor();
    await until(async () => {
      await page.getByRole('button', { name: 'Log in with your key' }).click();
      const state = page.locator('.login .notice.bad');
      await state.waitFor();
      return /Try again in \d+ seconds?\./.test((await state.textContent()) ?? '');
    }, 'the limit');
    await browser.close(page, REFUSED);
  });
});

describe.skipIf(noBrowser)(`the end of a session ${inBrowser}`, () => {
  it('keeps view and input for the next login', async () => {
    const page = await browser.open();
    await logIn(page, use.relay.httpUrl, moderator, '#/events?words=kept');
    const words = page.getByLabel('Words in the text');
    await words.fill('what I was typing');
    // Taking a role away ends the session, and giving it back does not bring it back.
    for (const moderators of [[], [moderator.pubkey]]) {
      const config = testConfig(use.relay.directory, {
        ...SETTINGS,
        'admin.moderators': moderators,
      });
      await use.relay.relay.reload(config);
      await page.evaluate(`fetch('/admin/api', { method: 'POST',
        headers: { 'Content-Type': 'application/json' }, body: '{"method":"session"}' })`);
    }
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('Your session has ended').waitFor();
    expect(page.url()).toContain('#/events');
    await enter(page);
    expect(await words.inputValue()).toBe('what I was typing');
    await page.getByText('No events found').waitFor();
    await browser.close(page, REFUSED);
  });
});
