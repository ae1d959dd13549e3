// Entry script of the public page: own address, copy buttons, live figures.

import { showCopyButtons } from './copy.ts';
import { LiveFigures } from './live-figures.ts';

const own = document.querySelector<HTMLElement>('[data-own-address]');
if (own !== null) showOwnAddress(own);
showCopyButtons(document);

const figures = document.querySelector<HTMLElement>('[data-figures]');
if (figures !== null) new LiveFigures(figures).begin();

/** Shows the relay's address as the browser knows it; the relay does not know its public name. */
function showOwnAddress(place: HTMLElement): void {
  const { protocol, host } = location;
  const path = place.dataset.ownAddress ?? '/';
  const address = `${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}${path === '/' ? '' : path}`;
  const code = document.createElement('code');
  code.textContent = address;
  const button = document.createElement('button');
  Object.assign(button, { type: 'button', className: 'small', textContent: 'Copy', hidden: true });
  Object.assign(button.dataset, { copy: address, what: 'address' });
  const what = document.createElement('span');
  Object.assign(what, { className: 'visually-hidden', textContent: ' the address' });
  button.append(what);
  const line = document.createElement('span');
  line.className = 'copy';
  line.append(code, button);
  place.replaceChildren(line);
}
