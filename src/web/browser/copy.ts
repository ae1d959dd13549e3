// Copy buttons of the public page.

const SHOWN_MILLISECONDS = 2_000;

/**
 * Shows and connects the buttons with `data-copy` if this browser can copy (on encrypted pages
 * only). Each button shows the result for a moment.
 */
export function showCopyButtons(within: ParentNode): void {
  const { clipboard } = navigator as { clipboard?: Clipboard };
  if (clipboard === undefined) return;
  for (const button of within.querySelectorAll<HTMLButtonElement>('button[data-copy]')) {
    const before = [...button.childNodes].map((node) => node.cloneNode(true));
    let timer = 0;
    const say = (text: string) => {
      button.textContent = text;
      clearTimeout(timer);
      timer = window.setTimeout(() => button.replaceChildren(...before), SHOWN_MILLISECONDS);
    };
    button.setAttribute('aria-live', 'polite');
    button.addEventListener('click', () => {
      clipboard.writeText(button.dataset.copy ?? '').then(
        () => say('Copied'),
        () => say('Not copied'),
      );
    });
    button.hidden = false;
  }
}
