// Configuration, retention, and a relay that does not answer, on the page /admin in a real browser.
// Relays in their own processes. Skipped without a browser.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { enter, logIn } from '../support/admin-browser.ts';
import { Author, now } from '../support/author.ts';
import { accessibilityFaults } from '../support/axe.ts';
import { inBrowser, noBrowser, useBrowser } from '../support/browser.ts';
import { Client } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { ownAddress, WokProcess } from '../support/process.ts';
import { freshDirectory, type Settings } from '../support/relay.ts';

const ONE_WORKER_EACH = '[query]\nworkers = 1\n[ingester]\nworkers = 1\n';

const browser = useBrowser();
const admin = new Author();
const ADMIN = `[admin]\npubkeys = ["${admin.pubkey}"]\n${ONE_WORKER_EACH}`;

async function started(text: string, settings: Settings = {}, directory = freshDirectory()) {
  const file = join(directory, 'relay.conf');
  const write = (content: string) => writeFileSync(file, content);
  write(text);
  const wok = WokProcess.spawn(settings, directory, [], ['--config', file]);
  await wok.listening();
  return { wok, file, write, directory };
}

describe.skipIf(noBrowser)(`configuration and retention ${inBrowser}`, () => {
  it('show options with their origin, and changes and mistakes before a reload', async () => {
    const { wok, file, write } = await started(`[info]\nname = "one"\n${ADMIN}`);
    const page = await browser.open();
    await logIn(page, wok.httpUrl, admin, '#/config');
    await page.getByLabel('Search').fill('info.name');
    await page.getByText(`from ${file} line 2`).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);

    const look = page.getByRole('button', { name: 'Check for changes' });
    await look.click();
    await page.getByText('No differences from the configuration in effect.').waitFor();
    write(`[info]\nname = "two"\n[limits]\nfilters_max = "many"\n${ADMIN}`);
    await look.click();
    await page
      .getByRole('alert')
      .getByText(/filters_max/)
      .waitFor();
    write(`[info]\nname = "two"\n[io]\npath = "/other"\n${ADMIN}`);
    await look.click();
    await page.getByRole('row', { name: 'info.name "one" "two" immediately' }).waitFor();
    await page.getByRole('row', { name: 'io.path "/" "/other" after a restart' }).waitFor();
    await page.getByRole('button', { name: 'Apply…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reload' }).click();
    await page.getByText('Reloaded.', { exact: true }).waitFor();
    await page.locator('.options').getByText('"two"').waitFor();
    const named = async () => {
      const answer = await fetch(wok.httpUrl, { headers: { Accept: 'application/nostr+json' } });
      return ((await answer.json()) as { name: string }).name;
    };
    expect(await named()).toBe('two');
    await page.goto(`${wok.httpUrl}/admin#/people`);
    const name = page.getByRole('form', { name: 'Name' });
    expect(await name.getByLabel('Name').inputValue()).toBe('two');
    await name.getByLabel('Name').fill('three');
    await name.getByRole('button', { name: 'Set' }).click();
    await page.getByText('Name: set.').waitFor();
    expect(await named()).toBe('three');
    await name.getByRole('button', { name: 'As configured' }).click();
    await page.getByText('Name: as configured again.').waitFor();
    expect(await named()).toBe('two');
    await page.goto(`${wok.httpUrl}/admin#/config`);
    await page.getByLabel('Search').fill('no such option');
    await page.getByText('No option matches.').waitFor();
    await browser.close(page, /status of (401|409)/);
  });

  it('preview what retention would remove, and remove it', async () => {
    const { wok, directory } = await started(`[retention]\nage = ["7=1d"]\n${ADMIN}`);
    const client = await Client.connect(wok.url);
    const author = new Author();
    for (let n = 0; n < 12; n++) {
      const event = author.event({ kind: 7, created_at: now() - 3 * 86_400 - n });
      expect((await client.publish(event))[2]).toBe(true);
    }
    // Retention rules apply to events once they are in the index, a second after they came.
    const control = await Control.connect(directory);
    await control.indexed();
    control.socket.destroy();
    const page = await browser.open();
    await logIn(page, wok.httpUrl, admin, '#/retention');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByRole('heading', { name: 'The last preview' }).waitFor();
    await page.getByText('done', { exact: true }).waitFor();
    await page.getByText('12 events would be removed').waitFor();
    await page.getByRole('row', { name: /^7=1d 12 / }).waitFor();
    await page.getByRole('button', { name: 'Run now…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('This cannot be undone.').waitFor();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('heading', { name: 'The last run' }).waitFor();
    await page.getByText('12 events removed').waitFor();
    expect((await client.query({ kinds: [7] })).events).toEqual([]);
    client.socket.terminate();
    await browser.close(page, /status of 401/);
  });
});

describe.skipIf(noBrowser)(`a relay that does not answer ${inBrowser}`, () => {
  it('is reported, with old data marked, until it answers again', async () => {
    const host = { 'io.host': ownAddress() };
    const first = await started(`[info]\nname = "one"\n${ADMIN}`, host);
    const again = { ...host, 'io.port': first.wok.port };
    const page = await browser.open();
    await logIn(page, first.wok.httpUrl, admin);
    await page.getByText('Healthy.').waitFor();
    first.wok.signal('SIGTERM');
    await first.wok.exited;
    const status = page.locator('#main .live');
    await status.getByText(/cannot be reached.*The data shown is of \d\d:\d\d:\d\d\./).waitFor();
    await status.getByText(/Next try in|Trying/).waitFor();
    await page.locator('#main .stale').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    // Other views show it above their contents, and in place of what they cannot load.
    await page.goto(`${first.wok.httpUrl}/admin#/reports`);
    await page
      .locator('#main')
      .getByRole('alert')
      .getByText(/cannot be reached/)
      .waitFor();
    await page
      .locator('.trouble')
      .getByText(/cannot be reached/)
      .waitFor();
    const tryAgain = page.getByRole('button', { name: 'Try again' });
    await tryAgain.waitFor();

    await started(`[info]\nname = "one"\n${ADMIN}`, again, first.directory);
    // Not `click`, which waits for a button that is hidden once the page has tried by itself.
    await tryAgain.dispatchEvent('click');
    // A restart ends all sessions.
    await page.getByText('Your session has ended').waitFor();
    await enter(page);
    await page.getByText('The report queue is empty.').waitFor();
    await page.locator('.trouble').waitFor({ state: 'hidden' });
    await page.goto(`${first.wok.httpUrl}/admin#/overview`);
    await status.getByText('Live').waitFor();
    expect(await page.locator('#main .stale').count()).toBe(0);
    await browser.close(page, /status of 401|ERR_CONNECTION_REFUSED|ERR_|net::/);
  });

  it('is not asked while the tab is hidden', async () => {
    const { wok } = await started(ADMIN);
    const page = await browser.open();
    let asked = 0;
    page.on('request', (request) => {
      if (request.postData()?.includes('"dashboard"')) asked++;
    });
    await page.clock.install();
    await logIn(page, wok.httpUrl, admin);
    await page.getByText('Healthy.').waitFor();
    const hide = (hidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`);
    await hide(true);
    await page.locator('#main').getByText('Paused while this tab is hidden').waitFor();
    const before = asked;
    await page.clock.fastForward(120_000);
    expect(asked).toBe(before);
    await hide(false);
    await page.locator('#main').getByText('Live', { exact: true }).waitFor();
    expect(asked).toBeGreaterThan(before);
    await browser.close(page, /status of 401/);
  });
});
