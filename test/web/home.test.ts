// The public page in a real browser, with and without scripts, in both color schemes and on small
// screens, served by in-process relays. Skipped without a browser.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Figures } from '../../src/web/browser/figures.ts';
import { Author } from '../support/author.ts';
import { accessibilityFaults } from '../support/axe.ts';
import { inBrowser, noBrowser, useBrowser, type WatchedPage } from '../support/browser.ts';
import { Client } from '../support/client.ts';
import { http } from '../support/http.ts';
import { ownAddress, until } from '../support/process.ts';
import { startRelay, type TestRelay } from '../support/relay.ts';

const NO_ANSWER = /ERR_CONNECTION_REFUSED|Failed to load resource/;
const author = new Author();

async function figuresOf(relay: TestRelay): Promise<Figures> {
  return JSON.parse((await http(`${relay.httpUrl}/figures.json`)).body) as Figures;
}

const browser = useBrowser();
let relay: TestRelay;
let client: Client;
beforeAll(async () => {
  relay = await startRelay({
    'info.name': 'Harbour',
    'info.description': 'For the harbour.\n\nAnd for its friends.',
    'info.pubkey': author.pubkey,
    'info.contact': 'mailto:keeper@harbour.example',
    'info.privacy_policy': 'https://harbour.example/privacy',
    'identity.urls': ['wss://harbour.example'],
    'policy.pow_min_by_kind': ['1059=16'],
    'retention.age': ['7=30d'],
  });
  client = await Client.connect(relay.url);
});
afterAll(async () => {
  client.socket.terminate();
  await relay.stop();
});

const figure = (page: WatchedPage, name: string) =>
  page.locator(`[data-figure="${name}"] > span`).textContent();
const visible = (page: WatchedPage) => page.evaluate('document.body.innerText') as Promise<string>;

describe.skipIf(noBrowser)(`the public page ${inBrowser}`, () => {
  it('is complete without scripts', async () => {
    for (let i = 0; i < 3; i++) await client.publish(author.event());
    const page = await browser.open({ javaScriptEnabled: false });
    await page.goto(relay.httpUrl);
    expect(await page.title()).toBe('Harbour');
    const text = (await visible(page)).replace(/\s+/g, ' ');
    for (const part of [
      'For the harbour.',
      'And for its friends.',
      'wss://harbour.example',
      'npub1',
      'keeper@harbour.example',
      'Open for writing',
      'kind 1059 (gift wraps) 16 bits',
      'Events of kind 7 (reactions) are kept for 30 days.',
      'Event size (JSON) 256 KiB',
      'Stored events per filter 1,000',
      '01 Basic protocol',
      'New events per minute',
      'wok 0.',
    ]) {
      expect(text).toContain(part);
    }
    expect(Number(await figure(page, 'events'))).toBe((await figuresOf(relay)).events);
    expect(Number(await figure(page, 'connections'))).toBe(1);
    expect(await page.getByRole('button').count()).toBe(0);
    expect(await page.getByRole('img', { name: /new events per minute/ }).count()).toBe(1);
    const privacy = page.getByRole('link', { name: 'Privacy policy' });
    expect(await privacy.getAttribute('href')).toBe('https://harbour.example/privacy');
    await browser.close(page);
  });

  it('copies the address, and takes it from the browser without identity.urls', async () => {
    const page = await browser.open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(relay.httpUrl);
    await page.getByRole('button', { name: 'Copy the address' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('wss://harbour.example');
    await page.getByRole('button', { name: 'Copy the address' }).waitFor();
    await browser.close(page);

    const unnamed = await startRelay({ 'io.path': '/nostr' });
    onTestFinished(() => unnamed.stop());
    const silent = await browser.open({ javaScriptEnabled: false });
    await silent.goto(unnamed.httpUrl);
    expect(await visible(silent)).toContain('in your browser’s address bar');
    await browser.close(silent);
    const other = await browser.open();
    await other.goto(unnamed.httpUrl);
    await other.getByText(`${unnamed.url}/nostr`, { exact: true }).waitFor();
    expect(await other.getByRole('button', { name: 'Copy the address' }).count()).toBe(1);
    await browser.close(other);
  });
});

describe.skipIf(noBrowser)(`figures on the public page ${inBrowser}`, () => {
  it('are updated while events come in, and not while the tab is hidden', async () => {
    const page = await browser.open();
    let asked = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/figures.json')) asked++;
    });
    await page.clock.install();
    await page.goto(relay.httpUrl);
    const status = page.locator('[data-live]');
    await until(async () => (await status.textContent()) === 'live', 'the first figures');
    const before = Number(await figure(page, 'events'));
    for (let i = 0; i < 5; i++) await client.publish(author.event());
    const other = await Client.connect(relay.url);
    other.send(['REQ', 'all', { limit: 1 }]);
    await other.next(([method]) => method === 'EOSE');
    await until(async () => Number(await figure(page, 'events')) === before + 5, 'five events');
    expect(Number(await figure(page, 'connections'))).toBe(2);
    expect(Number(await figure(page, 'subscriptions'))).toBe(1);
    await until(
      async () => (await page.locator('[data-chart="events"] .line').getAttribute('d')) !== '',
      'a line in the chart',
    );
    expect(await page.getByRole('img', { name: /UTC between .* connections, now/ }).count()).toBe(
      1,
    );
    const hide = (hidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`,
      );
    await hide(true);
    expect(await status.textContent()).toBe('paused');
    const then = asked;
    await page.clock.fastForward(60_000);
    expect(asked).toBeLessThanOrEqual(then + 1);
    await hide(false);
    await until(async () => (await status.textContent()) === 'live', 'figures again');
    other.socket.terminate();
    await browser.close(page);
  });

  it('are marked as old while the relay does not answer', async () => {
    const host = ownAddress();
    const own = await startRelay({ 'io.host': host });
    const page = await browser.open();
    await page.goto(own.httpUrl);
    const status = page.locator('[data-live]');
    await until(async () => (await status.textContent()) === 'live', 'the first figures');
    await own.stop();
    const online = () => page.evaluate('window.dispatchEvent(new Event("online"))');
    await online();
    await until(
      async () => /does not answer; next try in 5 seconds/.test((await status.textContent())!),
      'the sentence',
    );
    expect(await status.getAttribute('role')).toBe('status');
    expect(await page.locator('.stale').count()).toBe(1);
    const again = await startRelay({ 'io.host': host, 'io.port': own.relay.port }, own.directory);
    onTestFinished(() => again.stop());
    await online();
    await until(async () => (await status.textContent()) === 'live', 'figures again');
    expect(await page.locator('.stale').count()).toBe(0);
    await browser.close(page, NO_ANSWER);
  });
});

describe.skipIf(noBrowser)(`layout and text of the public page ${inBrowser}`, () => {
  it.each(['light', 'dark'] as const)('is accessible when it is %s', async (colorScheme) => {
    const page = await browser.open({ colorScheme });
    await page.goto(relay.httpUrl);
    await until(async () => /live/.test(await visible(page)), 'the first figures');
    expect(await accessibilityFaults(page)).toEqual([]);
    const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(ground).toBe(colorScheme === 'light' ? 'rgb(250, 248, 243)' : 'rgb(17, 23, 22)');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await browser.close(page);
  });

  it.each([320, 768, 1600])('fits on a screen of %i pixels', async (width) => {
    const wide = await startRelay({
      'info.name': 'W'.repeat(120),
      'info.description': `${'x'.repeat(400)} https://${'long'.repeat(60)}.example`,
      'info.contact': `mailto:${'a'.repeat(60)}@${'b'.repeat(60)}.example`,
      'info.pubkey': author.pubkey,
      'identity.urls': [`wss://${'relay'.repeat(12)}.${'example'.repeat(8)}/${'path'.repeat(30)}`],
    });
    onTestFinished(() => wide.stop());
    for (const { httpUrl } of [relay, wide]) {
      const page = await browser.open({ viewport: { width, height: 700 } });
      await page.goto(httpUrl);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      await browser.close(page);
    }
  });

  it('shows hostile settings as text', async () => {
    const script = '</title><script>document.title = "taken"</script>';
    const hostile = await startRelay({
      'info.name': `"'&<${script}`,
      'info.description': `${script}<img src=x onerror="document.title='taken'"> &lt;b&gt;`,
      'info.contact': 'javascript:document.title="taken"',
      'info.icon': 'https://elsewhere.example/icon.png',
      'info.banner': 'https://elsewhere.example/banner.png',
      'info.terms_of_service': 'https://x.example/"onmouseover="document.title=\'taken\'',
      'identity.urls': [`wss://relay.example/"><script>document.title='taken'</script>`],
      'policy.tags_required': [`1=${script}`],
    });
    onTestFinished(() => hostile.stop());
    const page = await browser.open();
    await page.goto(hostile.httpUrl);
    await page.getByText('live', { exact: true }).waitFor();
    const name = `"'&<${script}`;
    expect(await page.title()).toBe(name);
    expect(await page.locator('h1').textContent()).toBe(name);
    const text = await visible(page);
    expect(text).toContain(`<img src=x onerror="document.title='taken'"> &lt;b&gt;`);
    expect(text).toContain('javascript:document.title="taken"');
    expect(text).toContain(`wss://relay.example/"><script>`);
    expect(text).toContain(`a “${script}” tag`);
    const addresses = (await page.evaluate(
      '[...document.querySelectorAll("[href], [src]")].map((one) => one.href || one.src)',
    )) as string[];
    const strange = addresses.filter((one) => !/^https?:/.test(one));
    expect(strange).toEqual([]);
    expect(await page.locator('[onmouseover], [onerror]').count()).toBe(0);
    expect(addresses.join()).not.toContain('elsewhere.example');
    await browser.close(page);
  });
});
