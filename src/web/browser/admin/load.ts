// Requests with their display: progress, result or failure.

import { messageOf, PageFault } from './api.ts';
import { type Child, fill, make } from './make.ts';

/** Line for a request in flight. */
export function progress(text: string): HTMLElement {
  return make('p', { class: 'progress', role: 'status' }, text);
}

/** Notice of an error, with a button that tries again unless `again` is null. */
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

/** Element that is filled by a request. */
export interface Loaded {
  readonly place: HTMLElement;
  /** Repeats the request; the old content stays until the answer, and is stale after a failure. */
  reload(): Promise<void>;
}

/**
 * Makes a request at once and returns an element for it: shows that `what` is loading, then the
 * result, or the error with a button that tries again.
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

/** Outcome of an action; `under way`: it takes long and continues at the relay. */
type Outcome = 'done' | 'under way' | 'failed';

/**
 * Runs the action of a button: a second press during the action is ignored, and progress or error
 * are shown in `place`.
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
