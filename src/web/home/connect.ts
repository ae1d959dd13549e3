// Card of the public page with the addresses, the contact and the keys of the relay.

import { encodeNpub } from '../../protocol/nip19.ts';
import { type Html, html, linkable } from '../html.ts';
import type { HomeFacts } from './home-facts.ts';

/** Card with the relay's addresses, its operator and its own key. */
export function connectCard({ config, self }: HomeFacts): Html {
  const { info } = config;
  return html`<section class="card stack" aria-labelledby="connect">
<h2 id="connect">Connect</h2>
<p>Add this address to your Nostr client:</p>
${addresses(config.identity.urls, config.io.path)}
<dl class="facts">
${info.pubkey !== '' && key('Operator', info.pubkey)}
${info.contact !== '' && fact('Contact', contact(info.contact))}
${self !== '' && key('Public key of the relay', self)}
</dl>
</section>`;
}

function addresses(urls: readonly string[], path: string): Html {
  if (urls.length > 0) return html`${urls.map((url) => html`${copied(url, 'address')}\n`)}`;
  // The relay does not know its public name; the browser does.
  return html`<div data-own-address="${path}"><p>It is the one in your browser’s address bar${
    path !== '/' && html`, followed by <code>${path}</code>`
  }, with <code>wss://</code> in place of <code>https://</code> (<code>ws://</code> in place of <code>http://</code>).</p></div>`;
}

function fact(name: string, value: Html): Html {
  return html`<div><dt>${name}</dt><dd class="break">${value}</dd></div>`;
}

function key(name: string, pubkey: string): Html {
  return fact(name, copied(encodeNpub(pubkey), 'key'));
}

/** Text with a copy button, hidden until a script finds that the browser can copy. */
function copied(text: string, what: string): Html {
  return html`<span class="copy"><code>${text}</code><button type="button" class="small" data-copy="${text}" data-what="${what}" hidden>Copy<span class="visually-hidden"> the ${what}</span></button></span>`;
}

function contact(text: string): Html {
  const href = linkable(text);
  const shown = text.replace(/^mailto:/i, '');
  return href === null ? html`${text}` : html`<a href="${href}">${shown}</a>`;
}
