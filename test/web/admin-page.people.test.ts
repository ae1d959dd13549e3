// Roles and invites on the page /admin in a real browser. In-process relay. Skipped without a
// browser.

import { npubEncode } from 'nostr-tools/nip19';
import { describe, expect, it } from 'vitest';
import { logIn } from '../support/admin-browser.ts';
import { Author } from '../support/author.ts';
import { inBrowser, noBrowser, useBrowser } from '../support/browser.ts';
import { useRelay } from '../support/use-relay.ts';

/**
 * Console messages to expect: there is no session at first, and a relay in this process has no file
 * whose options it could show.
 */
const REFUSED = /status of (401|409)/;

describe.skipIf(noBrowser)(`people ${inBrowser}`, () => {
  const admin = new Author();
  const use = useRelay({
    'admin.pubkeys': [admin.pubkey],
    'membership.enabled': true,
    'identity.urls': ['wss://relay.example', 'ws://127.0.0.1'],
    'query.workers': 1,
    'ingester.workers': 1,
  });
  const browser = useBrowser();

  async function open(hash: string) {
    const page = await browser.open();
    await logIn(page, use.relay.httpUrl, admin, `#/${hash}`);
    return page;
  }

  it('makes a role, gives it, and makes an invite', async () => {
    const page = await open('people');
    await page.getByRole('button', { name: 'New role…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Id').fill('king');
    await dialog.getByLabel('Name').fill('King of the hill');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'King of the hill' }).waitFor();
    await page.getByRole('button', { name: 'Assign…' }).click();
    await dialog.getByLabel('Public key').fill(new Author().pubkey);
    await dialog.getByRole('button', { name: 'Assign', exact: true }).click();
    await page.getByText('1 member', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Invite…' }).click();
    await dialog.getByRole('button', { name: 'Create a code' }).click();
    await dialog.getByText('It is shown only once.').waitFor();
    const code = (await dialog.locator('.copy code').textContent())!;
    await dialog.getByRole('button', { name: 'Close' }).click();
    const member = new Author();
    const tags = [['-'], ['claim', code]];
    expect(await use.client.publish(member.event({ kind: 28_934, tags, content: '' }))).toEqual([
      'OK',
      expect.any(String),
      true,
      expect.any(String),
    ]);
    await page.goto(`${use.relay.httpUrl}/admin#/lists/pubkey-allow`);
    await page
      .locator(`a[href="#/person/${npubEncode(member.pubkey)}"]`)
      .first()
      .waitFor();
    await browser.close(page, REFUSED);
  });
});
