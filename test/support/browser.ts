import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { WAIT_MILLISECONDS } from './ceiling.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** What keeps a browser in a test from doing anything of its own on the network. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** The browser of this machine, or null. */
export const browserFile: string | null =
  (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((file) => existsSync(file)) ?? null;

/** For `describe.skipIf`, with a sentence in the name: the tests need a browser. */
export const noBrowser = browserFile === null;
export const inBrowser = noBrowser
  ? 'in a browser (skipped: no chromium here; deploy/install-system-packages.sh --with-test-tools)'
  : 'in a browser';

/** A page that is watched: what it must not do is kept in `faults`. */
export interface WatchedPage extends Page {
  /** Requests to other hosts, violations of the policy, errors of scripts and lines in the console. */
  readonly faults: string[];
}

/** A browser for the tests of a file or describe. */
export interface BrowserInUse {
  /**
   * A page in a profile of its own. Whatever it asks of a host other than this machine's own is
   * refused and noted.
   */
  open(options?: BrowserContextOptions): Promise<WatchedPage>;
  /** Closes the page, and fails when it did what it must not; `expected` are faults that belong to the test. */
  close(page: WatchedPage, expected?: RegExp): Promise<void>;
}

/** Starts one browser for all tests of the enclosing describe. */
export function useBrowser(): BrowserInUse {
  let browser: Browser | null = null;
  beforeAll(async () => {
    if (browserFile === null) return;
    browser = await chromium.launch({
      executablePath: browserFile,
      args: ARGUMENTS,
      headless: true,
      chromiumSandbox: false,
      timeout: WAIT_MILLISECONDS,
    });
  });
  afterAll(() => browser?.close());
  return {
    open: (options = {}) => open(browser!, options),
    close: async (page, expected) => {
      await page.context().close();
      const faults = page.faults.filter((fault) => !expected?.test(fault));
      expect(faults).toEqual([]);
    },
  };
}

async function open(browser: Browser, options: BrowserContextOptions): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(WAIT_MILLISECONDS);
  const page = await context.newPage();
  const faults: string[] = [];
  await context.route(
    (url) => url.protocol.startsWith('http') && !isHere(url),
    (route) => {
      faults.push(`a request to ${route.request().url()}`);
      return route.abort();
    },
  );
  page.on('websocket', (socket) => {
    if (!isHere(new URL(socket.url()))) faults.push(`a WebSocket to ${socket.url()}`);
  });
  page.on('pageerror', (error) => faults.push(`an error: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      faults.push(`the console: ${message.text()}`);
    }
  });
  return Object.assign(page, { faults });
}

function isHere({ hostname }: URL): boolean {
  return hostname.startsWith('127.') || hostname === 'localhost';
}
