import { failure, perform } from './load.ts';
import { button, type Child, fill, freshId, make } from './make.ts';

/** A question before something is done. */
export interface Question {
  title: string;
  /** What will happen. */
  text: Child;
  /** What the button says: what is done, not "OK". */
  action: string;
  /** It cannot be taken back, or takes something from somebody. */
  danger?: boolean;
  /** Fields below the text. */
  fields?: readonly HTMLElement[];
  /** Does it; an error shows in the dialog, which stays. */
  act(): Promise<void>;
}

/**
 * Asks in a dialog; true when it was done. Escape and Cancel do nothing. The focus goes back to where it
 * was, if that is still there.
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
    // What is under way cannot be cancelled, so nobody shall think so.
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

/** Where the focus was, or where the view begins when that is gone. */
function focusBack(before: Element | null): void {
  if (before instanceof HTMLElement && before.isConnected) before.focus();
  else document.querySelector<HTMLElement>('#main h1')?.focus();
}

/** What the browser says is wrong with the first field that is. */
function firstWrong(form: HTMLFormElement): string | null {
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement) || field.validity.valid) continue;
    field.focus();
    const label = field.labels?.[0]?.textContent ?? '';
    return label === '' ? field.validationMessage : `${label}: ${field.validationMessage}`;
  }
  return null;
}

/** Shows something in a dialog until it is closed. */
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
