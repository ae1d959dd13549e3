// Copy button of the page /admin.

import { make } from './make.ts';

const SHOWN_MILLISECONDS = 1_500;

/** Button that copies a text, and shows the result for a moment. */
export function copyButton(text: string, what: string, label = 'Copy'): HTMLButtonElement {
  const name = `Copy ${what}`;
  const pressed = make('button', {
    type: 'button',
    class: 'quiet small copying',
    'aria-label': name,
    title: name,
  });
  let timer = 0;
  const say = (said: string, state: string) => {
    pressed.textContent = said;
    pressed.dataset.state = state;
    pressed.setAttribute('aria-label', state === '' ? name : said);
  };
  say(label, '');
  pressed.addEventListener('click', () => {
    copy(text).then(
      () => say('Copied', 'done'),
      () => say('Not copied', 'failed'),
    );
    clearTimeout(timer);
    timer = window.setTimeout(() => say(label, ''), SHOWN_MILLISECONDS);
  });
  return pressed;
}

async function copy(text: string): Promise<void> {
  const { clipboard } = navigator as { clipboard?: Clipboard };
  if (clipboard !== undefined) {
    await clipboard.writeText(text);
    return;
  }
  // Pages without https have no Clipboard API.
  const area = make('textarea', {
    readonly: true,
    class: 'visually-hidden',
    'aria-hidden': 'true',
  });
  const before = document.activeElement;
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  if (!done) throw new Error('copying failed');
}
