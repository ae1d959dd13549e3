// Login on the page `/admin` in a browser, with a NIP-07 signer that a test controls.

import type { Page } from 'playwright-core';
import type { Author } from './author.ts';

/** Event without id, key and signature, as a page gives it to a signer. */
interface Draft {
  kind: number;
  created_at: number;
  tags: string[][];
  content: string;
}

/**
 * Puts a signer (NIP-07) into every page of this tab, as a browser extension does. `sign` signs, or
 * throws the reason for which the user declines. With `hidden` the signer appears only when
 * `appear` is called.
 */
export async function giveSigner(
  page: Page,
  sign: (draft: Draft) => unknown,
  hidden = false,
): Promise<{ appear(): Promise<void> }> {
  await page.exposeFunction('signInTest', (draft: Draft) => {
    try {
      return { signed: sign(draft) };
    } catch (error) {
      return { refused: (error as Error).message };
    }
  });
  const script = `
    globalThis.showSigner = () => {
      globalThis.nostr = {
        getPublicKey: async () => '',
        signEvent: async (draft) => {
          const { signed, refused } = await globalThis.signInTest(draft);
          if (refused !== undefined) throw new Error(refused);
          return signed;
        },
      };
    };
    ${hidden ? '' : 'globalThis.showSigner();'}`;
  await page.addInitScript(script);
  return { appear: () => page.evaluate('globalThis.showSigner()') };
}

/** Opens `/admin` with a signer for this author and logs in; `hash` is the view. */
export async function logIn(page: Page, httpUrl: string, author: Author, hash = ''): Promise<void> {
  await giveSigner(page, (draft) => author.event(draft));
  await page.goto(`${httpUrl}/admin${hash}`);
  await enter(page);
}

/** Presses the login button, and waits until the page offers to log out. */
export async function enter(page: Page): Promise<void> {
  await page.getByText('A signer was found').waitFor();
  await page.getByRole('button', { name: 'Log in with your key' }).click();
  await page.getByRole('button', { name: 'Log out' }).waitFor();
}
