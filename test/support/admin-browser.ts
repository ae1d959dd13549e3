import type { Page } from 'playwright-core';
import type { Author } from './author.ts';

/** What a signer is asked to sign. */
interface Draft {
  kind: number;
  created_at: number;
  tags: string[][];
  content: string;
}

/**
 * Puts a signer (NIP-07) into every page of this tab, as an extension does: `sign` signs, or throws what
 * the person says. With `hidden` it appears when `appear` is called.
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

/** Opens `/admin` with a signer for this person and logs in; `hash` is the view. */
export async function logIn(page: Page, httpUrl: string, author: Author, hash = ''): Promise<void> {
  await giveSigner(page, (draft) => author.event(draft));
  await page.goto(`${httpUrl}/admin${hash}`);
  await enter(page);
}

/** Presses the button of the login, and waits until somebody is in. */
export async function enter(page: Page): Promise<void> {
  await page.getByText('A signer is there').waitFor();
  await page.getByRole('button', { name: 'Log in with your key' }).click();
  await page.getByRole('button', { name: 'Log out' }).waitFor();
}
