// Headless Chromium for tests of pages, which records requests to other hosts and script errors.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { WAIT_MILLISECONDS } from './ceiling.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Flags that keep the browser from using the network on its own, and let it run in a container. */
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

/** Path of the browser of this machine, found in PATH; null if there is none. */
export const browserFile: string | null =
  (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((file) => existsSync(file)) ?? null;

/**
 * True if there is no browser, for `describe.skipIf`; `inBrowser` puts the reason into the name.
 */
export const noBrowser = browserFile === null;
export const inBrowser = noBrowser
  ? 'in a browser (skipped: no chromium here; deploy/install-system-packages.sh --with-test-tools)'
  : 'in a browser';

/** Page that collects in `faults` whatever it must not do. */
export interface WatchedPage extends Page {
  /**
   * Requests to other hosts, violations of the content security policy, script errors, and warnings
   * and errors in the console.
   */
  readonly faults: string[];
}

/** Browser for the tests of a file or describe. */
export interface BrowserInUse {
  /**
   * Opens a page in a profile of its own. HTTP requests to other hosts than this machine are
   * aborted and recorded as faults.
   */
  open(options?: BrowserContextOptions): Promise<WatchedPage>;
  /** Closes the page, and fails if it has faults that `expected` does not match. */
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
