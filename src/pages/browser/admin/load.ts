import { messageOf, PageFault } from './api.ts';
import { type Child, fill, make } from './make.ts';

/** A line that says that something is on its way. */
export function progress(text: string): HTMLElement {
  return make('p', { class: 'progress', role: 'status' }, text);
}

/** What went wrong, and a button that tries it again. */
export function failure(error: unknown, again: (() => void) | null): HTMLElement {
  return make(
    'div',
    { class: 'notice bad row', role: 'alert' },
    make('span', { class: 'grow' }, messageOf(error)),
    again !== null &&
      make(
        'button',
        { type: 'button', class: 'small', 'data-again': true, onclick: () => again() },
        'Try again',
      ),
  );
}

/** A place that is filled by a request. */
export interface Loaded {
  readonly place: HTMLElement;
  /** Asks again; what stands there stays, marked as old, until the answer comes. */
  reload(): Promise<void>;
}

/**
 * A place that says that `what` is on its way, shows it, or says why it does not come and offers to try
 * again.
 */
export function load<Result>(
  what: string,
  left: AbortSignal,
  ask: () => Promise<Result>,
  show: (result: Result) => Child,
): Loaded {
  const state = make('div', { class: 'state' });
  const content = make('div', { class: 'stack' });
  const place = make('div', { class: 'stack' }, state, content);
  const reload = async () => {
    const isFirst = content.childNodes.length === 0;
    place.setAttribute('aria-busy', 'true');
    fill(state, progress(isFirst ? `Loading ${what}…` : `Loading ${what} again…`));
    try {
      const result = await ask();
      if (left.aborted) return;
      fill(content, show(result));
      fill(state);
      content.classList.remove('stale');
    } catch (error) {
      if (left.aborted) return;
      content.classList.toggle('stale', content.childNodes.length > 0);
      fill(
        state,
        failure(error, () => void reload()),
      );
    } finally {
      place.removeAttribute('aria-busy');
    }
  };
  void reload();
  return { place, reload };
}

/** How something ended that was to be done; `under way`: it takes long and goes on by itself. */
export type Outcome = 'done' | 'under way' | 'failed';

/**
 * Has a button do something that takes a while: it cannot be pressed twice, and what the relay says of it
 * shows in `place`.
 */
export async function perform(
  pressed: HTMLButtonElement,
  place: HTMLElement,
  act: () => Promise<void>,
): Promise<Outcome> {
  if (pressed.getAttribute('aria-busy') === 'true') return 'failed';
  pressed.setAttribute('aria-busy', 'true');
  fill(place, progress('Working…'));
  try {
    await act();
    fill(place);
    return 'done';
  } catch (error) {
    if (error instanceof PageFault && error.kind === 'under_way') {
      fill(place, make('p', { class: 'notice', role: 'status' }, error.message));
      return 'under way';
    }
    fill(place, failure(error, null));
    return 'failed';
  } finally {
    pressed.removeAttribute('aria-busy');
  }
}
