// Access to the NIP-07 signer of the browser, for the login.

/** Signer as defined by NIP-07. */
interface Signer {
  getPublicKey(): Promise<string>;
  signEvent(event: Draft): Promise<unknown>;
}

interface Draft {
  kind: number;
  created_at: number;
  tags: string[][];
  content: string;
}

/** SHA-256 of `{}`, the body of a login; a constant because pages without https cannot hash. */
const PAYLOAD = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';
const KIND_HTTP_AUTH = 27_235;
const LOOK_MILLISECONDS = 250;

/** Failure to sign; the message is a sentence. */
class SignerRefused extends Error {
  override name = 'SignerRefused';
}

/** Signer of this browser, or null. */
function findSigner(): Signer | null {
  const { nostr } = window as unknown as { nostr?: Partial<Signer> };
  return typeof nostr?.signEvent === 'function' ? (nostr as Signer) : null;
}

/** Calls `found` once there is a signer; extensions may add it after the page has loaded. */
export function whenSigner(found: () => void, left: AbortSignal): void {
  if (findSigner() !== null) {
    found();
    return;
  }
  const timer = setInterval(() => {
    if (findSigner() === null) return;
    clearInterval(timer);
    found();
  }, LOOK_MILLISECONDS);
  left.addEventListener('abort', () => clearInterval(timer));
}

/** Returns the Authorization header of a login here (NIP-98). @throws SignerRefused */
export async function signLogin(): Promise<string> {
  const signer = findSigner();
  if (signer === null)
    throw new SignerRefused(
      'The signer is not available any more; is its extension still enabled?',
    );
  const draft: Draft = {
    kind: KIND_HTTP_AUTH,
    created_at: Math.floor(Date.now() / 1000),
    tags: [
      ['u', `${location.origin}/admin/login`],
      ['method', 'POST'],
      ['payload', PAYLOAD],
      // Two logins within a second would be the same event, and an event is accepted only once.
      ['salt', String(crypto.getRandomValues(new Uint32Array(1))[0])],
    ],
    content: '',
  };
  let signed: unknown;
  try {
    signed = await signer.signEvent(draft);
  } catch (error) {
    const said = error instanceof Error ? error.message : typeof error === 'string' ? error : '';
    throw new SignerRefused(
      `The signer did not sign${said === '' ? '' : ` (it says: ${said})`}. Log in again and allow it.`,
    );
  }
  if (typeof signed !== 'object' || signed === null || !('sig' in signed)) {
    throw new SignerRefused('The signer did not return a signed event.');
  }
  const bytes = new TextEncoder().encode(JSON.stringify(signed));
  return `Nostr ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}
