// The pages for browsers over HTTP: content negotiation, headers, compression, assets and the icon.
// In-process relays; raw sockets where the bytes on the wire matter.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Assets } from '../../src/web/assets.ts';
import { RawSocket } from '../support/http.ts';
import { until } from '../support/process.ts';
import {
  freshDirectory,
  type Settings,
  startRelay,
  type TestRelay,
  testConfig,
} from '../support/relay.ts';
import { type RelayInUse, useRelay } from '../support/use-relay.ts';

const BROWSER =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

interface Got {
  status: number;
  headers: Headers;
  text: string;
}

async function get(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Got> {
  const answer = await fetch(url, { method, headers: { Accept: BROWSER, ...headers } });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** Returns the bytes of a body as they are on the wire, and the head above them in lower case. */
async function raw(port: number, path: string, headers: readonly string[]) {
  const socket = await RawSocket.connect(port);
  socket.socket.write(
    [`GET ${path} HTTP/1.1`, 'Host: relay.example', ...headers, '\r\n'].join('\r\n'),
  );
  await socket.ended();
  const end = socket.received.indexOf('\r\n\r\n');
  return {
    head: socket.received.subarray(0, end).toString().toLowerCase(),
    body: socket.received.subarray(end + 4),
  };
}

/**
 * Kills the admin worker, which makes the page, and expects that all requests meanwhile are
 * answered.
 */
async function adminWorkerGone({ relay, httpUrl }: TestRelay): Promise<void> {
  const dead = relay.kill('admin', 0);
  const answers = [];
  for (let i = 0; i < 20; i++) answers.push(get(httpUrl));
  await dead;
  answers.push(get(httpUrl), get(`${httpUrl}/figures.json`));
  for (const { status, text, headers } of await Promise.all(answers)) {
    expect([200, 503]).toContain(status);
    if (status !== 503) continue;
    expect(headers.get('retry-after')).toBe('2');
    expect(text).toMatch(/try again/);
  }
}

/** Returns all addresses that a page loads. */
function loaded(page: string): string[] {
  return [...page.matchAll(/<(?:link|script|img)\b[^>]*?(?:href|src)="([^"]*)"/g)].map(
    ([, address]) => address!,
  );
}

describe('the address of the relay', () => {
  const use = useRelay({ 'info.name': 'A relay for tests' });
  servePages(use);
  serveHeadAndCompression(use);
});

function servePages(use: RelayInUse): void {
  it('shows browsers a page', async () => {
    const { status, headers, text } = await get(use.relay.httpUrl);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('vary')).toContain('Accept');
    expect(text).toContain('<title>A relay for tests');
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
  });

  it('gives clients the relay information document and others plain text, as before', async () => {
    const document = await get(use.relay.httpUrl, { Accept: `application/nostr+json, ${BROWSER}` });
    expect(JSON.parse(document.text)).toMatchObject({ name: 'A relay for tests' });
    expect(document.headers.get('vary')).toContain('Accept');
    for (const Accept of ['*/*', 'text/plain', 'text/html;q=0']) {
      const { text, headers } = await get(use.relay.httpUrl, { Accept });
      expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(text).toContain('This is a Nostr relay');
    }
  });

  it.each(['/', '/admin'])('forbids inline scripts and foreign frames for %s', async (path) => {
    const { status, headers, text } = await get(use.relay.httpUrl + path);
    expect(status).toBe(200);
    const policy = headers.get('content-security-policy')!;
    expect(policy.split('; ')).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ]),
    );
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    expect(loaded(text).length).toBeGreaterThan(1);
    expect(loaded(text).filter((address) => !/^\/[^/]/.test(address))).toEqual([]);
  });

  it.each(['/', '/admin'])('serves all assets that %s loads', async (path) => {
    const { text } = await get(use.relay.httpUrl + path);
    for (const address of loaded(text)) {
      expect((await get(use.relay.httpUrl + address)).status, address).toBe(200);
    }
  });
}

function serveHeadAndCompression(use: RelayInUse): void {
  it('answers HEAD with the headers of GET', async () => {
    for (const path of ['/', '/admin', '/icon', Assets.load().url('base.css')]) {
      const whole = await get(use.relay.httpUrl + path);
      const head = await get(use.relay.httpUrl + path, {}, 'HEAD');
      expect(head.status).toBe(200);
      expect(head.text).toBe('');
      const names = ['content-type', 'content-security-policy', 'etag', 'cache-control'];
      for (const name of names) expect(head.headers.get(name)).toBe(whole.headers.get(name));
      expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0);
    }
  });

  it.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const)('compresses with %s if the client accepts it', async (encoding, decompress) => {
    for (const path of ['/', '/admin', Assets.load().url('base.css')]) {
      const headers = [`Accept: ${BROWSER}`, `Accept-Encoding: ${encoding}, x;q=0.5`];
      const { head, body } = await raw(use.relay.relay.port, path, headers);
      const plain = await raw(use.relay.relay.port, path, [`Accept: ${BROWSER}`]);
      expect(head).toContain(`content-encoding: ${encoding}`);
      expect(head).toContain('accept-encoding');
      expect(plain.head).not.toContain('content-encoding');
      expect(body.length).toBeLessThan(plain.body.length);
      const text = decompress(body).toString();
      if (path !== '/') expect(text).toBe(plain.body.toString());
      else expect(text).toContain('</html>');
      const refused = [`Accept: ${BROWSER}`, `Accept-Encoding: ${encoding};q=0`];
      const other = await raw(use.relay.relay.port, path, refused);
      expect(other.head).not.toContain('content-encoding');
    }
  });
}

describe('assets', () => {
  const use = useRelay();

  it('may be kept for ever, and are not sent again', async () => {
    for (const name of Assets.load().names) {
      const url = use.relay.httpUrl + Assets.load().url(name);
      const { status, headers, text } = await get(url);
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-type')).toMatch(
        name.endsWith('.js') ? 'text/javascript' : name.endsWith('.css') ? 'text/css' : 'image/svg',
      );
      expect(text).not.toContain('sourceMappingURL');
      const again = await get(url, { 'If-None-Match': headers.get('etag')! });
      expect(again).toMatchObject({ status: 304, text: '' });
    }
    expect(Assets.load().names).toContain('vendor/uplot.js');
  });

  it('of another wok are taken from this one, and not kept', async () => {
    const url = Assets.load().url('base.css').replace(Assets.load().hash, '0'.repeat(16));
    const { status, headers } = await get(use.relay.httpUrl + url);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it.each([
    'nothing.css',
    '../home.ts',
    '..%2fhome.ts',
    '%2e%2e/%2e%2e/package.json',
    '../../../../../../etc/passwd',
    'browser/home.js',
    'home.js.map',
    'tsconfig.json',
    'constructor',
    '__proto__',
    '',
  ])('are no way to %j', async (name) => {
    const path = `/assets/${Assets.load().hash}/${name}`;
    const { head, body } = await raw(use.relay.relay.port, path, [`Accept: ${BROWSER}`]);
    expect(head).toMatch(/^http\/1\.1 404/);
    expect(body.toString()).toContain('not found; the relay is at');
  });
});

describe('the icon', () => {
  it('is the mark of wok, or what the operator gives', async () => {
    const directory = freshDirectory();
    const file = join(directory, 'icon');
    writeFileSync(file, PNG);
    const relay = await startRelay({
      'pages.icon_file': file,
      'identity.urls': ['wss://relay.example/'],
    });
    const { headers } = await get(`${relay.httpUrl}/icon`);
    expect(headers.get('content-type')).toBe('image/png');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    const again = { 'If-None-Match': headers.get('etag')! };
    expect((await get(`${relay.httpUrl}/icon`, again)).status).toBe(304);
    expect((await get(`${relay.httpUrl}/favicon.ico`)).headers.get('content-type')).toBe(
      'image/png',
    );
    const document = await get(relay.httpUrl, { Accept: 'application/nostr+json' });
    expect(JSON.parse(document.text)).toMatchObject({ icon: 'https://relay.example/icon' });
    await relay.stop();
  });

  it('reaches a client that reads late and slowly, too', async () => {
    const directory = freshDirectory();
    const file = join(directory, 'icon');
    const image = Buffer.concat([PNG, randomBytes(250 * 1024)]);
    writeFileSync(file, image);
    const relay = await startRelay({ 'pages.icon_file': file });
    const socket = connect(relay.relay.port, '127.0.0.1');
    socket.write('GET /icon HTTP/1.1\r\nHost: relay.example\r\n\r\n');
    const chunks: Buffer[] = [];
    // A server that sends more than the socket holds has to wait for this reader.
    await once(socket, 'readable');
    for (let i = 0; i < 50; i++) await turn();
    for await (const chunk of socket) {
      chunks.push(chunk as Buffer);
      const length = chunks.reduce((sum, one) => sum + one.length, 0);
      const head = Buffer.concat(chunks).indexOf('\r\n\r\n');
      if (head >= 0 && length === head + 4 + image.length) break;
    }
    const received = Buffer.concat(chunks);
    expect(received.subarray(received.indexOf('\r\n\r\n') + 4).equals(image)).toBe(true);
    await relay.stop();
  });

  it.each([
    ['is no image', 'GIF89a…'],
    ['is too large', Buffer.concat([PNG, Buffer.alloc(256 * 1024)])],
    ['is not there', null],
  ])('is the mark when the file %s, and the log says so', async (_, content) => {
    const directory = freshDirectory();
    const file = join(directory, 'icon.png');
    if (content !== null) writeFileSync(file, content);
    const relay = await startRelay({ 'pages.icon_file': file });
    const { status, headers, text } = await get(`${relay.httpUrl}/icon`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('image/svg+xml');
    expect(headers.get('content-security-policy')).toContain('sandbox');
    expect(text).toContain('<svg');
    expect(relay.logged.join()).toContain('pages.icon_file');
    await relay.stop();
  });
});

describe('the public page', () => {
  const use = useRelay({ 'info.name': 'At first' });
  const recovered = async () => {
    const healthy = async () => (await get(`${use.relay.httpUrl}/health`)).status === 200;
    await until(healthy, 'being well');
    await until(async () => (await get(use.relay.httpUrl)).status === 200, 'the page');
  };

  it('is made once for all simultaneous requests', async () => {
    const figures = () => get(`${use.relay.httpUrl}/figures.json`);
    const all = await Promise.all(Array.from({ length: 200 }, figures));
    expect(all.filter(({ status }) => status !== 200)).toEqual([]);
    const moments = new Set(all.map(({ text }) => (JSON.parse(text) as { at: number }).at));
    const [first, last] = [Math.min(...moments), Math.max(...moments)];
    expect(moments.size).toBeLessThanOrEqual(2 + (last - first) / 1000);
    expect(all[0]!.headers.get('cache-control')).toBe('no-store');
  });

  it('is answered with 503 while it cannot be made, and recovers by itself', async () => {
    await recovered();
    await adminWorkerGone(use.relay);
    await recovered();
  });

  it('follows the configuration', async () => {
    const reload = (settings: Settings) =>
      use.relay.relay.reload(testConfig(use.relay.directory, settings));
    await reload({ 'info.name': 'And then', 'policy.pow_min': 21 });
    const { text } = await get(use.relay.httpUrl);
    expect(text).toContain('<title>And then</title>');
    await until(async () => (await get(use.relay.httpUrl)).text.includes('of 21 bits'), 'the rule');
    expect((await get(`${use.relay.httpUrl}/admin`)).text).toContain('And then');
    await reload({ 'pages.figures': false });
    await until(async () => {
      const { status, text } = await get(use.relay.httpUrl);
      return status === 200 && !text.includes('Right now');
    }, 'a page without figures');
    expect((await get(`${use.relay.httpUrl}/figures.json`)).status).toBe(404);
    await reload({ 'pages.admin': false, 'pages.home': false });
    expect((await get(`${use.relay.httpUrl}/admin`)).status).toBe(404);
    expect((await get(use.relay.httpUrl)).text).not.toContain('<!doctype');
    await reload({});
    expect((await get(use.relay.httpUrl)).text).not.toContain('And then');
  });
});

describe('pages', () => {
  it('that are turned off are not there', async () => {
    const relay = await startRelay({ 'pages.home': false, 'pages.admin': false });
    const home = await get(relay.httpUrl);
    expect(home.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    for (const path of ['/admin', '/figures.json', Assets.load().url('base.css')]) {
      expect((await get(relay.httpUrl + path)).status).toBe(404);
    }
    await relay.stop();
    const silent = await startRelay({ 'pages.figures': false });
    expect((await get(`${silent.httpUrl}/figures.json`)).status).toBe(404);
    expect((await get(silent.httpUrl)).status).toBe(200);
    await silent.stop();
  });

  it('are at / and /admin wherever the relay is', async () => {
    const relay = await startRelay({ 'io.path': '/nostr' });
    expect((await get(relay.httpUrl)).text).toContain('<!doctype html>');
    expect((await get(`${relay.httpUrl}/admin`)).text).toContain('<!doctype html>');
    const elsewhere = await get(`${relay.httpUrl}/nostr`);
    expect(elsewhere.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect((await get(relay.httpUrl, { Accept: '*/*' })).status).toBe(404);
    await relay.stop();
  });
});
