// Lists of the page /admin that are loaded page by page.

import { amount } from './format.ts';
import { failure, progress } from './load.ts';
import { button, type Child, fill, make } from './make.ts';

/** Page of a list. */
interface ListPart<Cursor> {
  items: readonly Node[];
  /** Cursor of the next page; null: this is the last. */
  next: Cursor | null;
  /** Remark above the list. */
  note?: Child;
  /** Text at the end of the list while there are more pages. */
  more?: string;
}

interface Pager {
  readonly place: HTMLElement;
  /** Loads the list again from the first page. */
  reload(): Promise<void>;
}

/**
 * List that grows by pages and shows its state: loading, empty, or failed with a button that tries
 * again. `container` takes the items; `frame`, by default the container, is hidden while there are
 * none. An answer that a later request has overtaken is dropped.
 */
export function pager<Cursor>(options: {
  what: string;
  /** Text of an empty list. */
  empty: string;
  container: HTMLElement;
  frame?: HTMLElement;
  left: AbortSignal;
  ask(cursor: Cursor | null): Promise<ListPart<Cursor>>;
}): Pager {
  const { container, frame = container, left } = options;
  const note = make('div', { class: 'note' });
  const state = make('div', { class: 'state' });
  const place = make('div', { class: 'stack' }, note, frame, state);
  let run = 0;

  const go = async (cursor: Cursor | null) => {
    const own = ++run;
    place.setAttribute('aria-busy', 'true');
    fill(state, progress(`Loading ${options.what}…`));
    try {
      const part = await options.ask(cursor);
      if (left.aborted || own !== run) return;
      if (cursor === null) container.replaceChildren();
      container.append(...part.items);
      container.classList.remove('stale');
      if (part.note !== undefined) fill(note, part.note);
      show(part);
      if (cursor !== null) focusOn(part.items[0]);
    } catch (error) {
      if (left.aborted || own !== run) return;
      container.classList.toggle('stale', cursor === null);
      fill(
        state,
        failure(error, () => void go(cursor)),
      );
    } finally {
      if (own === run) place.removeAttribute('aria-busy');
    }
  };
  const show = ({ next, more }: ListPart<Cursor>) => {
    const items = container.children.length;
    frame.hidden = items === 0;
    if (next !== null) {
      const text = more ?? `${amount(items, 'entry', 'entries')} loaded, more available.`;
      fill(
        state,
        make(
          'div',
          { class: 'row' },
          button('Show more', '', () => void go(next)),
          make('span', { class: 'muted small', role: 'status' }, text),
        ),
      );
    } else if (items === 0)
      fill(state, make('p', { class: 'empty', role: 'status' }, options.empty));
    else {
      const text = `${amount(items, 'entry', 'entries')} in total.`;
      fill(state, make('p', { class: 'muted small', role: 'status' }, text));
    }
  };
  frame.hidden = true;
  void go(null);
  return { place, reload: () => go(null) };
}

/** Toolbar with an explanation and a reload button, and the list below it. */
export function queueOf({ place, reload }: Pager, ...said: readonly Child[]): HTMLElement[] {
  return [
    make(
      'div',
      { class: 'toolbar start' },
      make('p', { class: 'muted small grow' }, ...said),
      button('Refresh', 'again', () => void reload()),
    ),
    place,
  ];
}

/** Moves the focus to the first new item after "Show more". */
function focusOn(first: Node | undefined): void {
  if (!(first instanceof HTMLElement)) return;
  const target = first.matches('[tabindex]')
    ? first
    : first.querySelector<HTMLElement>('a, button');
  target?.focus();
}
