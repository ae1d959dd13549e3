// Login of the page /admin with a NIP-07 signer.

import type { Session } from '../../api/api.ts';
import { type Api, messageOf, PageFault } from './api.ts';
import { amount } from './format.ts';
import { progress } from './load.ts';
import { fill, make } from './make.ts';
import { signLogin, whenSigner } from './signer.ts';

/** Largest clock difference that a failed login does not mention. */
const CLOCK_SECONDS = 20;
const LOOKING_MILLISECONDS = 3_000;

/**
 * Login form. `why` is shown first, for example that a session has ended. `entered` is called with
 * the new session.
 */
export function loginView(
  api: Api,
  why: string,
  left: AbortSignal,
  entered: (session: Session) => void,
): HTMLElement {
  const signer = make('div', { class: 'state', role: 'status' }, progress('Looking for a signer…'));
  const state = make('div', { class: 'state', 'aria-live': 'assertive' });
  const enter = make(
    'button',
    { type: 'button', class: 'primary', 'aria-disabled': 'true' },
    'Log in with your key',
  );
  const looking = setTimeout(() => fill(signer, noSigner()), LOOKING_MILLISECONDS);
  left.addEventListener('abort', () => clearTimeout(looking));
  let isReady = false;
  whenSigner(() => {
    isReady = true;
    clearTimeout(looking);
    fill(signer, make('p', { class: 'muted' }, 'A signer was found.'));
    enter.removeAttribute('aria-disabled');
  }, left);

  enter.addEventListener('click', () => {
    if (!isReady) {
      fill(signer, noSigner());
      return;
    }
    if (enter.getAttribute('aria-busy') === 'true') return;
    enter.setAttribute('aria-busy', 'true');
    void logIn(api, state, entered).finally(() => enter.removeAttribute('aria-busy'));
  });

  return make(
    'main',
    { class: 'login', id: 'main', tabindex: -1 },
    make(
      'div',
      { class: 'card stack' },
      make('h1', null, 'Log in'),
      why !== '' && make('p', { class: 'notice warning', role: 'alert' }, why),
      make(
        'p',
        null,
        'Admins and moderators of this relay log in with their Nostr key. A signer in your browser signs one event for this relay; the key never leaves the signer, and nothing is published.',
      ),
      signer,
      make('div', { class: 'row' }, enter),
      state,
      make(
        'details',
        null,
        make('summary', null, 'Keys that may log in, and signers'),
        make(
          'div',
          { class: 'stack small' },
          make(
            'p',
            null,
            'Admins are listed in ',
            make('code', null, 'admin.pubkeys'),
            ' or ',
            make('code', null, 'info.pubkey'),
            ' of the configuration, moderators in ',
            make('code', null, 'admin.moderators'),
            '. Both can be changed while the relay runs (',
            make('code', null, 'wok reload'),
            ').',
          ),
          make(
            'p',
            null,
            'A signer is a browser extension for NIP-07, like nos2x or Alby; some mobile browsers have one built in. On the machine of the relay, ',
            make('code', null, 'wok mod'),
            ' and ',
            make('code', null, 'wok top'),
            ' do the same without a key.',
          ),
        ),
      ),
    ),
  );
}

function noSigner(): HTMLElement {
  return make(
    'p',
    { class: 'notice warning' },
    'No signer was found in this browser. Install or unlock one (a browser extension for NIP-07) and allow it for this page; it is detected without reloading the page.',
  );
}

async function logIn(
  api: Api,
  state: HTMLElement,
  entered: (session: Session) => void,
): Promise<void> {
  try {
    fill(state, progress('Waiting for your signer. It may open its own window to ask you.'));
    const authorization = await signLogin();
    fill(state, progress('Logging in…'));
    entered(await api.login(authorization));
  } catch (error) {
    const hints = error instanceof PageFault ? hintsFor(error) : [];
    fill(
      state,
      make(
        'div',
        { class: 'notice bad stack' },
        make('p', null, messageOf(error)),
        ...hints.map((hint) => make('p', null, hint)),
      ),
    );
  }
}

/** Hints beyond the message of the relay. */
function hintsFor({ kind, waitSeconds, ahead }: PageFault): string[] {
  const hints: string[] = [];
  if (kind === 'too_many' && waitSeconds > 0) {
    hints.push(`Try again in ${amount(waitSeconds, 'second')}.`);
  }
  if (kind === 'unauthenticated' && ahead !== null && Math.abs(ahead) > CLOCK_SECONDS) {
    const direction = ahead > 0 ? 'behind' : 'ahead of';
    hints.push(
      `The clock of this device is ${amount(Math.abs(ahead), 'second')} ${direction} the clock of the relay; correct it.`,
    );
  }
  if (kind === 'unreachable') hints.push('Your signature was not used; log in again later.');
  return hints;
}
