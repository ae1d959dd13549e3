import { amount } from './format.ts';
import { failure, progress } from './load.ts';
import { button, type Child, fill, make } from './make.ts';

/** A page of a list. */
export interface ListPart<Cursor> {
  items: readonly Node[];
  /** Where the next page begins; null: this is the last. */
  next: Cursor | null;
  /** What there is to say about the list, above it. */
  note?: Child;
  /** Said at the end while there is more. */
  more?: string;
}

export interface Pager {
  readonly place: HTMLElement;
  /** Begins anew with the first page. */
  reload(): Promise<void>;
}

/**
 * A list that grows by pages: it says that it is loading, that there is nothing, or why it cannot go on.
 * `container` takes the items; `frame` is what is shown with at least one of them in it.
 */
export function pager<Cursor>(options: {
  what: string;
  /** What is said where there is nothing. */
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
      const text = more ?? `${amount(items, 'entry', 'entries')} so far, and there are more.`;
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
      const text = `${amount(items, 'entry', 'entries')}; that is all.`;
      fill(state, make('p', { class: 'muted small', role: 'status' }, text));
    }
  };
  frame.hidden = true;
  void go(null);
  return { place, reload: () => go(null) };
}

/** A list below what is said about it, with a button that begins it anew. */
export function queueOf({ place, reload }: Pager, ...said: readonly Child[]): HTMLElement[] {
  return [
    make(
      'div',
      { class: 'toolbar start' },
      make('p', { class: 'muted small grow' }, ...said),
      button('Look again', 'again', () => void reload()),
    ),
    place,
  ];
}

/** Whoever pressed "Show more" goes on where the new ones begin. */
function focusOn(first: Node | undefined): void {
  if (!(first instanceof HTMLElement)) return;
  const target = first.matches('[tabindex]')
    ? first
    : first.querySelector<HTMLElement>('a, button');
  target?.focus();
}
