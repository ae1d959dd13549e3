// Modal dialogs of the page /admin: confirmations with fields, and plain content.

import { failure, perform } from './load.ts';
import { button, type Child, fill, freshId, make } from './make.ts';

/** Confirmation of an action. */
interface Question {
  title: string;
  /** Description of the consequences. */
  text: Child;
  /** Label of the button: the action, not "OK". */
  action: string;
  /** True if the action cannot be taken back, or takes something away from a person. */
  danger?: boolean;
  /** Fields below the text. */
  fields?: readonly HTMLElement[];
  /** Carries the action out; an error is shown in the dialog, which stays open. */
  act(): Promise<void>;
}

/**
 * Asks in a modal dialog. Resolves to true if the action was done or is still under way at the
 * relay, to false after Escape or Cancel. The focus returns to its element if that is still there.
 */
export function ask(question: Question): Promise<boolean> {
  const before = document.activeElement;
  const title = freshId();
  const text = freshId();
  const state = make('div', { class: 'state' });
  const submit = make(
    'button',
    { type: 'submit', class: question.danger ? 'danger strong' : 'primary' },
    question.action,
  );
  const cancel = button('Cancel', '', () => dialog.close());
  const form = make(
    'form',
    { class: 'stack', method: 'dialog', novalidate: true },
    make('h2', { id: title }, question.title),
    make('div', { id: text, class: 'stack' }, question.text),
    ...(question.fields ?? []),
    state,
    make('div', { class: 'row end' }, cancel, submit),
  );
  const dialog = make(
    'dialog',
    { 'aria-labelledby': title, 'aria-describedby': text, tabindex: -1 },
    form,
  );
  document.body.append(dialog);
  return new Promise((resolve) => {
    let done = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const wrong = firstWrong(form);
      if (wrong !== null) {
        fill(state, failure(wrong, null));
        return;
      }
      void perform(submit, state, question.act).then((outcome) => {
        done = outcome !== 'failed';
        if (outcome === 'done') dialog.close();
        else if (outcome === 'under way') {
          submit.remove();
          cancel.textContent = 'Close';
          cancel.focus();
        }
      });
    });
    // A request in flight cannot be cancelled, so Escape must not look as if it could.
    dialog.addEventListener('cancel', (event) => {
      if (submit.getAttribute('aria-busy') === 'true') event.preventDefault();
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      focusBack(before);
      resolve(done);
    });
    dialog.showModal();
    (form.querySelector<HTMLElement>('input, select, textarea') ?? cancel).focus();
  });
}

/** Focuses the element from before the dialog, or the heading of the view if that is gone. */
function focusBack(before: Element | null): void {
  if (before instanceof HTMLElement && before.isConnected) before.focus();
  else document.querySelector<HTMLElement>('#main h1')?.focus();
}

/** Focuses the first invalid input and returns the browser's message; null if all are valid. */
function firstWrong(form: HTMLFormElement): string | null {
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement) || field.validity.valid) continue;
    field.focus();
    const label = field.labels?.[0]?.textContent ?? '';
    return label === '' ? field.validationMessage : `${label}: ${field.validationMessage}`;
  }
  return null;
}

/** Shows content in a modal dialog with a button that closes it. */
export function show(title: string, ...children: readonly Child[]): void {
  const id = freshId();
  const before = document.activeElement;
  const dialog = make(
    'dialog',
    { 'aria-labelledby': id },
    make(
      'div',
      { class: 'stack' },
      make('h2', { id }, title),
      ...children,
      make(
        'div',
        { class: 'row end' },
        button('Close', '', () => dialog.close()),
      ),
    ),
  );
  dialog.addEventListener('close', () => {
    dialog.remove();
    focusBack(before);
  });
  document.body.append(dialog);
  dialog.showModal();
}
